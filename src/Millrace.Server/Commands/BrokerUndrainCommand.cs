using System.CommandLine;
using Millrace.Metadata.Configs;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker undrain BROKER|--self [--wait]</c></summary>
[Example("millrace broker undrain 3 --wait", "It leads again what it is the preferred leader of")]
internal sealed class BrokerUndrainCommand : BrokerDutyCommand
{
    private readonly Option<bool> _wait = new("--wait") { Description = "Wait until it leads them, for --timeout at most" };

    public BrokerUndrainCommand()
        : base("undrain", "Have a drained broker lead again what it is the preferred leader of", (BrokerConfigs.Drained, null)) => Options.Add(_wait);

    protected override async Task<int> FollowAsync(BrokerLoad load, ParseResult result, CancellationToken token) =>
        result.GetValue(_wait)
            ? await WaitAsync(load, BrokerDuty.All, static load => load.Misses(), "partitions are still to be handed over to it", result, token)
            : Write(load, BrokerDuty.All, result);
}
