namespace Millrace.Benchmarks.Failover;

/// <summary>How often brokers were given up, by cause, as all brokers of a cluster have counted since they were started.</summary>
internal sealed class FenceCounts
{
    private readonly IReadOnlyDictionary<string, int> _counts;

    private FenceCounts(IReadOnlyDictionary<string, int> counts) => _counts = counts;

    /// <summary>Asks each of them.</summary>
    public static FenceCounts Read(ClusterUnderTest cluster) => new(cluster.Metrics()
        .Where(metric => metric.Name == "millrace_fences_total")
        .GroupBy(metric => metric.Label("cause"))
        .ToDictionary(group => group.Key, group => group.Sum(metric => (int)metric.Value)));

    /// <summary>What has come since an earlier count, for people.</summary>
    public string Since(FenceCounts earlier)
    {
        var more = _counts.Select(pair => (pair.Key, Count: pair.Value - earlier._counts.GetValueOrDefault(pair.Key))).Where(pair => pair.Count > 0);
        return string.Join(", ", more.OrderBy(pair => pair.Key).Select(pair => $"{pair.Count} {pair.Key}")) is { Length: > 0 } text ? text : "none";
    }
}
