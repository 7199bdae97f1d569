using System.Text.RegularExpressions;
using Xunit;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>The dashboard, as somebody finds it who imports it.</summary>
public sealed partial class DashboardTests
{
    // Grafana's grid has so many columns.
    private const int Columns = 24;

    private const string DataSource = "${datasource}";

    private static readonly string[] OfGrafana = ["__rate_interval"];

    private readonly Dashboard _dashboard = Dashboard.Read();

    [Fact]
    public void No_two_panels_have_the_same_id_or_title()
    {
        Assert.Distinct(_dashboard.Panels.Select(panel => panel.Id));
        Assert.Distinct(_dashboard.Panels.Select(panel => panel.Title));
    }

    [Fact]
    public void No_two_panels_overlap_and_none_is_wider_than_the_screen() =>
        Assert.All(_dashboard.Panels, panel =>
        {
            Assert.True(panel.Left >= 0 && panel.Right <= Columns && panel.Left < panel.Right && panel.Top < panel.Bottom);
            Assert.DoesNotContain(_dashboard.Panels, other => other != panel && other.Overlaps(panel));
        });

    [Fact]
    public void Each_panel_has_a_unit_and_says_what_it_shows() =>
        Assert.All(_dashboard.Panels.Where(panel => !panel.IsRow), panel =>
        {
            Assert.False(string.IsNullOrEmpty(panel.Unit));
            Assert.EndsWith(".", panel.Description, StringComparison.Ordinal);
        });

    [Fact]
    public void Each_panel_asks_the_data_source_that_is_chosen() =>
        Assert.All(_dashboard.Panels.Where(panel => !panel.IsRow), panel =>
        {
            Assert.NotEmpty(panel.Queries);
            Assert.Equal(DataSource, panel.DataSource);
            Assert.All(panel.Queries, query => Assert.Equal(DataSource, query.DataSource));
        });

    [Fact]
    public void Queries_use_the_variables_that_can_be_chosen_and_each_of_them()
    {
        var variables = _dashboard.Variables.Select(variable => variable.Name).ToList();
        var used = _dashboard.Panels.SelectMany(panel => panel.Queries)
            .SelectMany(found => Variable().Matches(found.Query + found.DataSource))
            .Select(variable => variable.Groups[1].Value)
            .Distinct();

        Assert.Equal(["broker", "cluster", "datasource"], variables.Order());
        Assert.Equal(variables.Concat(OfGrafana).Order(), used.Order());
    }

    [Fact]
    public void It_is_in_a_form_that_Grafana_11_and_later_read_as_it_is() => Assert.InRange(_dashboard.SchemaVersion, 39, 42);

    [GeneratedRegex(@"\$\{?(\w+)")]
    private static partial Regex Variable();
}
