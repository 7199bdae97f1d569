using System.CommandLine;
using Millrace.Server.Commands;

namespace Millrace.Server;

/// <summary>The program's command line: every command in one place.</summary>
internal static class MillraceCommand
{
    /// <summary>Reads a command line. An argument that begins with @ is one as any other: a time for <c>--offset</c>, not a file of arguments.</summary>
    public static ParseResult Parse(IReadOnlyList<string> arguments) =>
        Create().Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });

    private static RootCommand Create() => new("Millrace: a Kafka-compatible streaming platform on shared storage")
    {
        new StartCommand(),
        new TopicCommand(),
        new ProduceCommand(),
        new ConsumeCommand(),
        new GroupCommand(),
        new ClusterCommand(),
        new ConfigCommand(),
        new StoreCommand(),
    };
}
