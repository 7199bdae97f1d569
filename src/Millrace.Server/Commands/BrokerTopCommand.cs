using System.CommandLine;
using Millrace.Metadata;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;
using Millrace.Server.Cli.Help;

namespace Millrace.Server.Commands;

/// <summary><c>millrace broker top [--sort bytes|in|out|cpu] [--once] [--interval SECONDS]</c></summary>
[Example("millrace broker top", "How much each broker has to do, the busiest first, until Ctrl-C")]
[Example("millrace broker top --sort cpu --once", "The same once, by the processor time that each takes")]
[Example("millrace broker top --json", "The same for scripts, an object a line")]
internal sealed class BrokerTopCommand : ClientCommand
{
    private const double MillionthsPerPercent = 10_000;
    private const double MicrosecondsPerMillisecond = 1_000;

    private readonly Option<string> _sort = new("--sort")
    {
        Description = "What the busiest has most of: bytes in both directions, bytes in, bytes out, or processor time",
        DefaultValueFactory = _ => "bytes",
        HelpName = "BY",
    };

    private readonly LiveTable _live;

    public BrokerTopCommand()
        : base("top", "Show what each broker has had to do in the last ten seconds, a second: bytes, requests, processor time, waits for the WAL")
    {
        _sort.AcceptOnlyFromAmong("bytes", "in", "out", "cpu");
        Options.Add(_sort);
        _live = new LiveTable(this);
    }

    protected override bool IsLasting => true;

    protected override IEnumerable<string> TopicsOf(ParseResult result) => [];

    protected override Task<int> ExecuteAsync(ParseResult result, CancellationToken token) => _live.ShowAsync(
        result,
        Client.Json(result),
        async looking =>
        {
            var loads = await ClusterLoads.AskAsync(Client, result, looking);
            return (Table(loads, result.GetValue(_sort)!), loads.Untold);
        },
        token);

    private static Report Table(ClusterLoads loads, string sort)
    {
        var report = new Report("Node", "Name", "Cpu percent", "Bytes in", "Bytes out", "Requests", "Wal wait ms", "Memory");
        foreach (var (broker, load) in loads.Brokers.OrderByDescending(one => one.Load is { } load ? Amount(load, sort) : -1).ThenBy(one => one.Broker.Id))
        {
            report.Add(
                broker.Id, broker.Name, load is null ? null : Math.Round(load.CpuMillionths / MillionthsPerPercent, 1), load?.BytesIn, load?.BytesOut,
                load?.Requests, load is null ? null : Math.Round(load.WalWaitUs / MicrosecondsPerMillisecond, 2), load?.Memory);
        }

        return report;
    }

    private static long Amount(DescribeLoadResponse.MeasuredLoad load, string sort) => sort switch
    {
        "in" => load.BytesIn,
        "out" => load.BytesOut,
        "cpu" => load.CpuMillionths,
        _ => load.BytesIn + load.BytesOut,
    };
}
