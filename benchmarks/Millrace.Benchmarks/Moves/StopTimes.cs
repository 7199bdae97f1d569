using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Moves;

/// <summary>How long partitions stopped that were handed over, by the clocks of those who led them: how many in each bucket, all brokers together.</summary>
/// <param name="Buckets">By the most that is in it, in milliseconds; each with all below it.</param>
internal sealed partial record StopTimes(SortedDictionary<double, long> Buckets)
{
    public long Count => Buckets.Count == 0 ? 0 : Buckets.Values.Max();

    public static StopTimes Read(ClusterUnderTest cluster)
    {
        using var http = new HttpClient();
        var buckets = new SortedDictionary<double, long>();
        foreach (var address in cluster.Http)
        {
            foreach (var match in Bucket().Matches(http.GetStringAsync(new Uri(address, "metrics")).Result).Cast<Match>())
            {
                var seconds = match.Groups["most"].Value;
                var most = seconds == "+Inf" ? double.PositiveInfinity : 1_000 * double.Parse(seconds, CultureInfo.InvariantCulture);
                buckets[most] = buckets.GetValueOrDefault(most) + long.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture);
            }
        }

        return new StopTimes(buckets);
    }

    /// <summary>What a share of them is not above, as exactly as the buckets know.</summary>
    public double AtMost(double share) => Buckets.FirstOrDefault(bucket => bucket.Value >= share * Count, new(double.NaN, 0)).Key;

    [GeneratedRegex("""^millrace_handover_stop_duration_seconds_bucket\{[^}]*le="(?<most>[^"]+)"[^}]*\} (?<count>\d+)""", RegexOptions.Multiline)]
    private static partial Regex Bucket();
}
