using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace config set KEY=VALUE… [--broker ID]…</c></summary>
[Example("millrace config set message.max.bytes=4194304", "On every broker, at once and for good: before what its file says")]
internal sealed class ConfigSetCommand : ConfigChangeCommand
{
    private readonly Argument<string[]> _settings = new("key=value") { Description = "The configs to set", Arity = ArgumentArity.OneOrMore };

    public ConfigSetCommand()
        : base("set", "Set configs of running brokers") => Arguments.Add(_settings);

    protected override IReadOnlyList<ConfigEntry> Changes(ParseResult result) =>
    [
        .. KeyValue.ParseAll(result.GetValue(_settings), "config set")
            .Select(pair => new ConfigEntry { Name = pair.Key, Value = pair.Value, IncrementalOperation = AlterConfigOpType.Set }),
    ];
}
