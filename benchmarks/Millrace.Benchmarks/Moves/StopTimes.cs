using System.Globalization;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Moves;

/// <summary>How long partitions stopped that were handed over, by the clocks of those who led them: how many in each bucket, all brokers together.</summary>
/// <param name="Buckets">By the most that is in it, in milliseconds; each with all below it.</param>
internal sealed record StopTimes(SortedDictionary<double, long> Buckets)
{
    public long Count => Buckets.Count == 0 ? 0 : Buckets.Values.Max();

    public static StopTimes Read(ClusterUnderTest cluster) => new(new SortedDictionary<double, long>(cluster.Metrics()
        .Where(metric => metric.Name == "millrace_handover_stop_duration_seconds_bucket")
        .GroupBy(metric => Milliseconds(metric.Label("le")))
        .ToDictionary(bucket => bucket.Key, bucket => bucket.Sum(metric => (long)metric.Value))));

    /// <summary>Those that have come since an earlier reading.</summary>
    public StopTimes Since(StopTimes earlier) => new(new SortedDictionary<double, long>(
        Buckets.ToDictionary(bucket => bucket.Key, bucket => bucket.Value - earlier.Buckets.GetValueOrDefault(bucket.Key))));

    /// <summary>A row of a table in Markdown, below <see cref="Sample.Head"/>.</summary>
    public string Row(string what) =>
        FormattableString.Invariant($"| {what} | {AtMost(0.5)} | {AtMost(0.9)} | {AtMost(0.99)} | {AtMost(1)} | {Count} |");

    /// <summary>What a share of them is not above, as exactly as the buckets know.</summary>
    private double AtMost(double share) => Buckets.FirstOrDefault(bucket => bucket.Value >= share * Count, new(double.NaN, 0)).Key;

    private static double Milliseconds(string seconds) =>
        seconds == "+Inf" ? double.PositiveInfinity : 1_000 * double.Parse(seconds, CultureInfo.InvariantCulture);
}
