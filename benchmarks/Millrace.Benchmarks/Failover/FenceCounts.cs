using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.Failover;

/// <summary>How often brokers were given up, by cause, as all brokers of a cluster have counted since they were started.</summary>
internal sealed partial class FenceCounts
{
    private static readonly HttpClient Client = new();
    private readonly IReadOnlyDictionary<string, int> _counts;

    private FenceCounts(IReadOnlyDictionary<string, int> counts) => _counts = counts;

    /// <summary>Asks each of them.</summary>
    public static FenceCounts Read(ClusterUnderTest cluster) => new(cluster.Http
        .SelectMany(http => Count().Matches(Client.GetStringAsync(new Uri(http, "/metrics")).Result))
        .GroupBy(match => match.Groups[1].Value)
        .ToDictionary(group => group.Key, group => group.Sum(match => int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture))));

    /// <summary>What has come since an earlier count, for people.</summary>
    public string Since(FenceCounts earlier)
    {
        var more = _counts.Select(pair => (pair.Key, Count: pair.Value - earlier._counts.GetValueOrDefault(pair.Key))).Where(pair => pair.Count > 0);
        return string.Join(", ", more.OrderBy(pair => pair.Key).Select(pair => $"{pair.Count} {pair.Key}")) is { Length: > 0 } text ? text : "none";
    }

    [GeneratedRegex(@"^millrace_fences_total\{[^}]*cause=""(\w+)""[^}]*\} (\d+)", RegexOptions.Multiline)]
    private static partial Regex Count();
}
