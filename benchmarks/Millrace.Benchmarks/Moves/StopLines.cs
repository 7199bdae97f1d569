using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Benchmarks.Moves;

/// <summary>What brokers log of partitions that they have handed over (event 4111).</summary>
internal static partial class StopLines
{
    /// <summary>For each partition how long it stopped, in milliseconds.</summary>
    public static IEnumerable<double> Read(string log) =>
        Line().Matches(log).SelectMany(line => Enumerable.Repeat(
            double.Parse(line.Groups["stop"].Value, CultureInfo.InvariantCulture), int.Parse(line.Groups["count"].Value, CultureInfo.InvariantCulture)));

    [GeneratedRegex(@"(?<count>\d+) partitions were handed over after a stop of (?<stop>[\d.]+) ms")]
    private static partial Regex Line();
}
