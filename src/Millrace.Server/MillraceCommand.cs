using System.CommandLine;
using System.CommandLine.Help;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;
using Millrace.Server.Commands;

namespace Millrace.Server;

/// <summary>The program's command line: every command in one place.</summary>
[Example("millrace start", "A broker on 127.0.0.1:9092, its data in ./millrace-data")]
[Example("millrace topic create greetings", "A topic there")]
[Example("echo hello | millrace produce greetings", "A record for each line")]
[Example("millrace consume greetings --exit", "What is in it")]
internal sealed class MillraceCommand : RootCommand
{
    public MillraceCommand()
        : base("Millrace: a Kafka-compatible streaming platform on shared storage")
    {
        foreach (var option in Options.OfType<HelpOption>())
        {
            option.Action = new HelpWithExamples((HelpAction)option.Action!);
            // Aliases of another system's shells, and paths in this one's.
            option.Aliases.Remove("/h");
            option.Aliases.Remove("/?");
        }

        Options.OfType<VersionOption>().Single().Action = new VersionAction();
        Add(new StartCommand());
        Add(new TopicCommand());
        Add(new ProduceCommand());
        Add(new ConsumeCommand());
        Add(new GroupCommand());
        Add(new ConfigCommand());
        Add(new ClusterCommand());
        Add(new BrokerCommand());
        Add(new PartitionCommand());
        Add(new BalancerCommand());
        Add(new ScalerCommand());
        Add(new StoreCommand());
        Add(new WalCommand());
        Add(new DevCommand());
        Add(new CompletionCommand());
    }

    /// <summary>Reads a command line. An argument that begins with @ is one as any other: a time for <c>--offset</c>, not a file of arguments.</summary>
    public static ParseResult Parse(IReadOnlyList<string> arguments)
    {
        var command = new MillraceCommand();
        UnknownOptions.Refuse(command, arguments);
        return command.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
    }
}
