using System.Text.RegularExpressions;
using Xunit;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>All that is measured stands in <c>docs/operations.md</c>, whether or not every broker has had something of the kind.</summary>
public sealed partial class InstrumentsTests
{
    private readonly IReadOnlySet<string> _documented = Line()
        .Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "operations.md")))
        .SelectMany(line => Metric().Matches(line.Groups[1].Value))
        .Select(metric => metric.Groups[1].Value)
        .ToHashSet();

    [Fact]
    public void Every_metric_of_ours_is_documented() => Assert.All(Instruments.All, instrument => Assert.Contains(instrument.Metric, _documented));

    [Fact]
    public void Every_metric_that_is_documented_is_measured() =>
        Assert.Empty(_documented.Except(Instruments.All.Select(instrument => instrument.Metric)));

    [GeneratedRegex(@"^\| (`millrace_[^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex("`(millrace_[a-z_]+)`")]
    private static partial Regex Metric();
}
