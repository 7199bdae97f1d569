using System.Text.RegularExpressions;
using Millrace.Tests.Server.Http;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>
/// What queries may ask for: what a broker has exposed, with the labels that it had; and of instruments that had nothing to say yet, what their code says of
/// them. To each target's series its own labels are added by the scrape.
/// </summary>
internal sealed partial class ExposedMetrics
{
    // Prometheus makes it, one for each target.
    private const string Up = "up";

    private readonly Scrape _scrape;
    private readonly ScrapeConfig _config;
    private readonly Dictionary<string, Instrument> _instruments;

    // What says whose metric it is.
    private readonly IReadOnlySet<string> _common;

    public ExposedMetrics(Scrape scrape, ScrapeConfig config)
    {
        (_scrape, _config) = (scrape, config);
        _instruments = Instruments.All
            .SelectMany(instrument => instrument.Series.Select(series => (series, instrument)))
            .DistinctBy(found => found.series)
            .ToDictionary(found => found.series, found => found.instrument);
        _common = scrape.Names.Where(_instruments.ContainsKey)
            .Select(name => scrape.LabelsOf(name).Keys.AsEnumerable())
            .DefaultIfEmpty([])
            .Aggregate((some, others) => some.Intersect(others))
            .ToHashSet();
    }

    /// <summary>The labels that a metric may have; null if there is none of that name.</summary>
    public IReadOnlySet<string>? LabelsOf(string metric)
    {
        if (metric == Up)
        {
            return _config.TargetLabels;
        }

        if (_scrape.Names.Contains(metric))
        {
            return _config.TargetLabels.Union(_scrape.LabelsOf(metric).Keys).ToHashSet();
        }

        return _instruments.TryGetValue(metric, out var instrument)
            ? _config.TargetLabels.Union(_common)
                .Union(instrument.Words.Where(word => Label().IsMatch(word)))
                .Union(metric == instrument.BucketSeries ? ["le"] : [])
                .ToHashSet()
            : null;
    }

    /// <summary>Whether a metric may have this value of a label that it has.</summary>
    public bool MayHave(string metric, string label, string value) =>
        label == ScrapeConfig.JobLabel ? value == _config.Job
        : _common.Contains(label) ? _scrape.Names.Any(name => IsSeen(name, label, value))
        : IsSeen(metric, label, value)
            || (_instruments.TryGetValue(metric, out var instrument) && (instrument.WordsAround.Contains(value) || Instruments.EnumMembers.Contains(value)));

    private bool IsSeen(string metric, string label, string value) => _scrape.LabelsOf(metric).TryGetValue(label, out var seen) && seen.Contains(value);

    [GeneratedRegex("^[a-z_]+$")]
    private static partial Regex Label();
}
