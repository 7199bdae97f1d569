using System.CommandLine;
using Millrace.Metadata;
using Millrace.Metadata.Loads;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace partition top [--count N] [--sort bytes|in|out] [--once] [--interval SECONDS]</c></summary>
[Example("millrace partition top", "The partitions that move the most bytes, and who leads them, until Ctrl-C")]
[Example("millrace partition top --count 5 --sort out --once", "The five that are read the most")]
internal sealed class PartitionTopCommand : ClientCommand
{
    private readonly Option<int> _count = new("--count", "-n")
    {
        Description = $"How many; each broker tells of its {NodeLoad.MostBusiest} busiest",
        DefaultValueFactory = _ => 20,
        HelpName = "N",
    };

    private readonly Option<string> _sort = new("--sort")
    {
        Description = "What the busiest has most of: bytes in both directions, bytes in, or bytes out",
        DefaultValueFactory = _ => "bytes",
        HelpName = "BY",
    };

    private readonly LiveTable _live;

    public PartitionTopCommand()
        : base("top", "Show the busiest partitions of the last ten seconds, with their bytes a second")
    {
        _sort.AcceptOnlyFromAmong("bytes", "in", "out");
        Options.Add(_count);
        Options.Add(_sort);
        _live = new LiveTable(this);
    }

    protected override bool IsLasting => true;

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override Task<int> ExecuteAsync(ParseResult result, CancellationToken token)
    {
        var count = result.GetValue(_count) is > 0 and var wanted
            ? wanted
            : throw new CommandFailedException(ExitCode.Usage, "--count takes a number of partitions above 0.");
        return _live.ShowAsync(
            result,
            Client.Json(result),
            async looking =>
            {
                var loads = await ClusterLoads.AskAsync(Client, result, looking);
                return (Table(loads, result.GetValue(_sort)!, count), loads.Untold);
            },
            token);
    }

    private static Report Table(ClusterLoads loads, string sort, int count)
    {
        var report = new Report("Topic", "Partition", "Leader", "Bytes in", "Bytes out");
        var busiest = loads.Brokers
            .SelectMany(one => (one.Load?.Busiest ?? []).Select(partition => (Leader: one.Broker.Id, Partition: partition)))
            .OrderByDescending(one => Amount(one.Partition, sort))
            .ThenBy(one => one.Partition.Topic, StringComparer.Ordinal)
            .ThenBy(one => one.Partition.Partition);
        foreach (var (leader, partition) in busiest.Take(count))
        {
            report.Add(partition.Topic, partition.Partition, leader, partition.BytesIn, partition.BytesOut);
        }

        return report;
    }

    private static long Amount(DescribeLoadResponse.BusyPartition partition, string sort) => sort switch
    {
        "in" => partition.BytesIn,
        "out" => partition.BytesOut,
        _ => partition.BytesIn + partition.BytesOut,
    };
}
