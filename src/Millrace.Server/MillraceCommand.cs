using System.CommandLine;
using Millrace.Server.Commands;

namespace Millrace.Server;

/// <summary>The program's command line: every command in one place.</summary>
internal static class MillraceCommand
{
    public static RootCommand Create() => new("Millrace: a Kafka-compatible streaming platform on shared storage")
    {
        new StartCommand(),
        new TopicCommand(),
        new ProduceCommand(),
        new ConsumeCommand(),
        new GroupCommand(),
        new ClusterCommand(),
        new StoreCommand(),
    };
}
