using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Tests.Server.Http;

/// <summary>What a broker's /metrics said once, in Prometheus's text format.</summary>
internal sealed partial class Scrape
{
    private readonly Dictionary<string, List<(string Labels, double Value)>> _samples = new(StringComparer.Ordinal);

    /// <param name="text">As it came.</param>
    public Scrape(string text)
    {
        foreach (var line in text.Split('\n').Where(line => line.Length > 0 && line[0] != '#'))
        {
            var sample = Sample().Match(line);
            if (!sample.Success)
            {
                throw new FormatException($"No sample: {line}");
            }

            var name = sample.Groups[1].Value;
            if (!_samples.TryGetValue(name, out var samples))
            {
                _samples.Add(name, samples = []);
            }

            samples.Add((sample.Groups[2].Value, double.Parse(sample.Groups[3].Value, CultureInfo.InvariantCulture)));
        }
    }

    public IEnumerable<string> Names => _samples.Keys;

    public static async Task<Scrape> OfAsync(HttpClient client, Uri http) => new(await client.GetStringAsync(new Uri(http, "/metrics")));

    /// <summary>The labels that a metric's samples have, and the values of each; none if there is no such metric.</summary>
    public IReadOnlyDictionary<string, IReadOnlySet<string>> LabelsOf(string name) => _samples.GetValueOrDefault(name, [])
        .SelectMany(sample => Label().Matches(sample.Labels))
        .GroupBy(label => label.Groups[1].Value, label => label.Groups[2].Value)
        .ToDictionary(values => values.Key, IReadOnlySet<string> (values) => values.ToHashSet());

    /// <summary>The sum of a metric's samples that have these labels (<c>api="Fetch"</c>); 0 if there is none.</summary>
    public double Sum(string name, params string[] labels) => _samples.GetValueOrDefault(name, [])
        .Where(sample => labels.All(label => sample.Labels.Contains(label, StringComparison.Ordinal)))
        .Sum(sample => sample.Value);

    /// <summary>All values of one label.</summary>
    public IEnumerable<string> LabelValues(string label) => _samples.Values
        .SelectMany(samples => samples)
        .SelectMany(sample => Regex.Matches(sample.Labels, $"{label}=\"([^\"]*)\"").Select(match => match.Groups[1].Value))
        .Distinct(StringComparer.Ordinal);

    [GeneratedRegex("""^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$""")]
    private static partial Regex Sample();

    [GeneratedRegex(@"(\w+)=""((?:[^""\\]|\\.)*)""")]
    private static partial Regex Label();
}
