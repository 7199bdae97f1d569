using System.Diagnostics.Metrics;

namespace Millrace.Broker.Metrics;

/// <summary>What of the records passes between racks, and where those come from that consumers read in their own.</summary>
/// <remarks>Each byte that passes is counted once, by the broker that leads its partition. Threading: any thread.</remarks>
internal sealed class RackMetrics : IDisposable
{
    private static readonly KeyValuePair<string, object?> Produce = KeyValuePair.Create("reason", (object?)"produce");
    private static readonly KeyValuePair<string, object?> Fetch = KeyValuePair.Create("reason", (object?)"fetch");
    private static readonly KeyValuePair<string, object?> Follow = KeyValuePair.Create("reason", (object?)"follow");
    private static readonly KeyValuePair<string, object?>[] Sources =
        [.. Enum.GetValues<FollowedSource>().Select(source => KeyValuePair.Create("from", (object?)source.ToString().ToLowerInvariant()))];

    private readonly Meter _meter = new(BrokerMeter.Name);
    private readonly Counter<long> _acrossRacks;
    private readonly Counter<long> _served;

    public RackMetrics()
    {
        _acrossRacks = _meter.CreateCounter<long>(
            "millrace.rack.crossing.bytes", unit: null, "Bytes of records that passed between racks, by reason, counted where their partitions are led");
        _served = _meter.CreateCounter<long>(
            "millrace.followed.bytes.out",
            unit: null,
            "Bytes of records that fetches were answered with of partitions that are led in another rack, by where they came from");
    }

    /// <summary>From now on it is told how many partitions are followed.</summary>
    public void Observe(Func<int> followed) =>
        _meter.CreateObservableGauge("millrace.followed.partitions", followed, "{partition}", "Partitions that this node follows for consumers of its rack");

    /// <summary>A producer of another rack wrote.</summary>
    public void Produced(long bytes) => _acrossRacks.Add(bytes, Produce);

    /// <summary>A consumer of another rack read from the leader.</summary>
    public void Fetched(long bytes) => _acrossRacks.Add(bytes, Fetch);

    /// <summary>A broker of another rack was told records.</summary>
    public void Followed(long bytes) => _acrossRacks.Add(bytes, Follow);

    /// <summary>A consumer of this rack read of a partition that is led in another.</summary>
    public void Served(FollowedSource source, long bytes) => _served.Add(bytes, Sources[(int)source]);

    public void Dispose() => _meter.Dispose();
}
