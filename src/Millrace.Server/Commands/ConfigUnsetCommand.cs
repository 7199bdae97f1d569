using System.CommandLine;
using Confluent.Kafka.Admin;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace config unset KEY… [--broker ID]…</c></summary>
[Example("millrace config unset message.max.bytes", "What the broker's file says, or the default, counts again")]
internal sealed class ConfigUnsetCommand : ConfigChangeCommand
{
    private readonly Argument<string[]> _keys = new("key") { Description = "The configs to put back", Arity = ArgumentArity.OneOrMore };

    public ConfigUnsetCommand()
        : base("unset", "Take back what was set on running brokers") => Arguments.Add(_keys);

    protected override IReadOnlyList<ConfigEntry> Changes(ParseResult result) =>
        [.. result.GetValue(_keys)!.Select(key => new ConfigEntry { Name = key, IncrementalOperation = AlterConfigOpType.Delete })];
}
