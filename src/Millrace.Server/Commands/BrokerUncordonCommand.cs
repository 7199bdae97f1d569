using System.CommandLine;
using Millrace.Metadata.Configs;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker uncordon BROKER|--self</c></summary>
[Example("millrace broker uncordon 3", "It gets new partitions again, as the others do")]
internal sealed class BrokerUncordonCommand() : BrokerDutyCommand(
    "uncordon", "Let a broker get new partitions again", (BrokerConfigs.CordonedLogDirs, null))
{
    protected override Task<int> FollowAsync(BrokerLoad load, ParseResult result, CancellationToken token) =>
        Task.FromResult(Write(load, BrokerDuty.All, result));
}
