using System.CommandLine;
using Millrace.Metadata.Configs;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker cordon BROKER|--self</c>, which is <c>cordoned.log.dirs=*</c> (KIP-1066).</summary>
[Example("millrace broker cordon 3", "It goes on with what it leads, and gets no new partitions")]
internal sealed class BrokerCordonCommand() : BrokerDutyCommand("cordon", "Keep new partitions from a broker", (BrokerConfigs.CordonedLogDirs, "*"))
{
    protected override Task<int> FollowAsync(BrokerLoad load, ParseResult result, CancellationToken token) =>
        Task.FromResult(Write(load, BrokerDuty.Cordoned, result));
}
