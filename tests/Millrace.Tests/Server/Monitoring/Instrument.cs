using System.Text.RegularExpressions;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>Something that the product measures, as its code makes it, and what Prometheus gets to see of it.</summary>
/// <param name="Kind">What it was made by, as <c>CreateCounter</c>.</param>
/// <param name="Name">In the product, as <c>millrace.bytes.in</c>.</param>
/// <param name="Unit">Of its values; null if it has none.</param>
/// <param name="Words">What stands in the type that makes it: its labels are among them.</param>
/// <param name="WordsAround">What stands in the project around that: values of its labels are among them, if they are no members of enumerations.</param>
internal sealed partial record Instrument(string Kind, string Name, string? Unit, IReadOnlySet<string> Words, IReadOnlySet<string> WordsAround)
{
    /// <summary>The name that it is documented by.</summary>
    public string Metric
    {
        get
        {
            var name = Name.Replace('.', '_');
            if (UnitInName is { } unit && !name.Contains(unit, StringComparison.Ordinal))
            {
                name += $"_{unit}";
            }

            return Kind.EndsWith("Counter", StringComparison.Ordinal) && !Kind.EndsWith("UpDownCounter", StringComparison.Ordinal) ? $"{name}_total" : name;
        }
    }

    /// <summary>The names of its series.</summary>
    public IEnumerable<string> Series => Kind == "CreateHistogram" ? [BucketSeries, $"{Metric}_sum", $"{Metric}_count"] : [Metric];

    /// <summary>Of a histogram: the series that has a label more.</summary>
    public string BucketSeries => $"{Metric}_bucket";

    private string? UnitInName => Unit switch
    {
        null or "1" => null,
        "s" => "seconds",
        "By" => "bytes",
        "By/s" => "bytes_per_second",
        _ => Counted().IsMatch(Unit) ? null : throw new InvalidDataException($"{Name} has a unit that nobody has told this of: {Unit}"),
    };

    [GeneratedRegex(@"^\{\w+\}$")]
    private static partial Regex Counted();
}
