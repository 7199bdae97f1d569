using System.Text.RegularExpressions;
using Xunit;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>The alerts, as somebody needs them who is woken by one.</summary>
public sealed partial class AlertRuleTests
{
    private readonly IReadOnlyList<AlertRule> _rules = AlertRule.ReadAll();

    [Fact]
    public void Every_alert_says_how_bad_it_is_what_it_means_and_what_to_do()
    {
        Assert.NotEmpty(_rules);
        Assert.Distinct(_rules.Select(rule => rule.Alert));
        Assert.All(_rules, rule =>
        {
            Assert.Matches(@"^Millrace[A-Z]\w+$", rule.Alert);
            Assert.Matches(@"^\d+m$", rule.For);
            Assert.Equal(["severity"], rule.Labels.Keys);
            Assert.Contains(rule.Labels["severity"], (string[])["critical", "warning"]);
            Assert.Equal(["description", "summary"], rule.Annotations.Keys.Order());
            Assert.EndsWith(".", rule.Annotations["description"], StringComparison.Ordinal);
            Assert.DoesNotContain('\n', rule.Annotations["description"].TrimEnd());
            Assert.True(rule.Annotations["summary"].Length is > 10 and < 160, rule.Annotations["summary"]);
        });
    }

    [Fact]
    public async Task The_page_tells_of_every_alert_and_of_no_other()
    {
        var page = await File.ReadAllTextAsync(
            Path.Combine(MonitoringFiles.Folder, "..", "monitoring.md"), TestContext.Current.CancellationToken);

        Assert.Equal(_rules.Select(rule => rule.Alert).Order(), Told().Matches(page).Select(told => told.Groups[1].Value).Order());
    }

    [Fact]
    public async Task Every_alert_is_tried()
    {
        using var reader = MonitoringFiles.Open("millrace-alerts-test.yaml");
        var tests = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.All(_rules, rule => Assert.Contains($"alertname=\"{rule.Alert}\"", tests, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"^\*\*(Millrace\w+)\*\*", RegexOptions.Multiline)]
    private static partial Regex Told();
}
