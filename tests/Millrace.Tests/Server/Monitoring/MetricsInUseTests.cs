using System.Text.RegularExpressions;
using Millrace.Tests.Server.Monitoring.Queries;
using Xunit;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>What the dashboard and the alerts ask for is what brokers expose.</summary>
public sealed partial class MetricsInUseTests(ScrapedBroker broker) : IClassFixture<ScrapedBroker>
{
    private readonly QueryLabels _labels = new(broker.Metrics);

    [Fact]
    public void Every_query_of_the_dashboard_asks_for_metrics_and_labels_that_there_are() =>
        Assert.All(Dashboard.Read().Panels, panel => Assert.All(panel.Queries, found =>
        {
            var labels = _labels.Of(PromQuery.Parse(found.Query));
            Assert.Subset(labels.ToHashSet(), Shown().Matches(found.Legend).Select(label => label.Groups[1].Value).ToHashSet());
        }));

    [Fact]
    public void Every_variable_of_the_dashboard_takes_its_values_from_a_label_that_there_is() =>
        Assert.All(Dashboard.Read().Variables.Where(variable => variable.Type == "query"), variable =>
        {
            var values = LabelValues().Match(variable.Query);
            Assert.True(values.Success, variable.Query);
            Assert.Contains(values.Groups[2].Value, _labels.Of(PromQuery.Parse(values.Groups[1].Value)));
        });

    [Fact]
    public void Every_alert_asks_for_metrics_and_labels_that_there_are_and_says_them() =>
        Assert.All(AlertRule.ReadAll(), rule =>
        {
            var labels = _labels.Of(PromQuery.Parse(rule.Expr));
            Assert.Subset(
                labels.ToHashSet(),
                rule.Annotations.Values.SelectMany(text => Named().Matches(text)).Select(label => label.Groups[1].Value).ToHashSet());
        });

    [Fact]
    public void What_a_broker_exposes_has_the_name_that_follows_from_its_instrument() =>
        Assert.Empty(broker.Scrape.Names
            .Where(name => name.StartsWith("millrace_", StringComparison.Ordinal))
            .Except(Instruments.All.SelectMany(instrument => instrument.Series)));

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex Shown();

    [GeneratedRegex(@"\$labels\.(\w+)")]
    private static partial Regex Named();

    [GeneratedRegex(@"^label_values\((.+), (\w+)\)$")]
    private static partial Regex LabelValues();
}
