using System.CommandLine;
using Millrace.Metadata.Configs;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker drain BROKER|--self [--wait]</c></summary>
[Example("millrace broker drain 3 --wait", "Others lead what broker 3 leads; it gets nothing until it is undrained, also after a restart")]
[Example("millrace broker drain --self --wait --timeout 60", "The broker on this machine, before it is stopped")]
internal sealed class BrokerDrainCommand : BrokerDutyCommand
{
    private readonly Option<bool> _wait = new("--wait") { Description = "Wait until it leads nothing, for --timeout at most" };

    public BrokerDrainCommand()
        : base("drain", "Have others lead what a broker leads, until it is undrained, while clients go on", (BrokerConfigs.Drained, "true")) =>
        Options.Add(_wait);

    protected override async Task<int> FollowAsync(BrokerLoad load, ParseResult result, CancellationToken token) =>
        result.GetValue(_wait)
            ? await WaitAsync(load, BrokerDuty.Drained, static load => load.Leads(), "partitions are still to be handed over", result, token)
            : Write(load, BrokerDuty.Drained, result);
}
