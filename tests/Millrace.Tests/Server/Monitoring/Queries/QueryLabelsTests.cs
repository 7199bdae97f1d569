using Millrace.Tests.Server.Http;
using Xunit;

namespace Millrace.Tests.Server.Monitoring.Queries;

/// <summary>A query is understood as Prometheus does, or refused; never passed over.</summary>
public sealed class QueryLabelsTests
{
    private static readonly ExposedMetrics Exposed = new(
        new Scrape(
            """
            # What somebody exposes.
            requests_total{api="Fetch",error="none"} 1
            requests_total{api="Produce",error="none"} 2
            duration_seconds_bucket{api="Fetch",le="+Inf"} 3
            size{state="Open"} 4
            """),
        new ScrapeConfig("millrace", new HashSet<string> { "job", "instance", "cluster" }));

    private readonly QueryLabels _labels = new(Exposed);

    [Theory]
    [InlineData("size", "cluster instance job state")]
    [InlineData("size == 1 or up == 0", "cluster instance job state")]
    [InlineData("""sum by (cluster) (rate(requests_total{api=~"Fetch|Produce", cluster=~"$cluster"}[5m])) / 2""", "cluster")]
    [InlineData("""sum without (api) (increase(requests_total{api!="Fetch"}[1h] offset 1d))""", "cluster error instance job")]
    [InlineData("histogram_quantile(0.99, sum by (le, api) (rate(duration_seconds_bucket[$__rate_interval])))", "api")]
    [InlineData("size / on (cluster) group_left (error) sum by (cluster, error) (requests_total)", "cluster error instance job state")]
    [InlineData("""up{job="millrace"} == bool 1 unless on (cluster, instance) size""", "cluster instance job")]
    [InlineData("topk(10, max(size) * 2)", "")]
    public void Labels_are_followed_to_what_a_query_gives(string query, string expected) =>
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), _labels.Of(PromQuery.Parse(query)).Order());

    [Theory]
    [InlineData("sizes")]
    [InlineData("rate(request_total[5m])")]
    [InlineData("size or sizes")]
    [InlineData("""size{phase="Open"}""")]
    [InlineData("""size{state="Opened"}""")]
    [InlineData("""requests_total{api=~"Fetch|Produces"}""")]
    [InlineData("""requests_total{api=~"F.*"}""")]
    [InlineData("""up{job="milrace"}""")]
    [InlineData("sum by (state) (requests_total)")]
    [InlineData("sum by (api) (sum by (error) (requests_total))")]
    [InlineData("histogram_quantile(0.99, requests_total)")]
    [InlineData("size and on (api) requests_total")]
    [InlineData("size / requests_total")]
    [InlineData("rate(requests_total)")]
    [InlineData("requests_total[5m]")]
    [InlineData("sum(requests_total[5m])")]
    public void What_there_is_not_is_found(string query) => Assert.Throws<InvalidDataException>(() => _labels.Of(PromQuery.Parse(query)));

    [Theory]
    [InlineData("")]
    [InlineData("size size")]
    [InlineData("size{")]
    [InlineData("""size{state="Open" api="x"}""")]
    [InlineData("rate(size[5m:1m])")]
    [InlineData("rate(size[soon])")]
    [InlineData("rates(size[5m])")]
    [InlineData("sum by (state) size")]
    [InlineData("-size")]
    [InlineData("size @ 1")]
    [InlineData("""{__name__="size"}""")]
    [InlineData("(size")]
    [InlineData("topk(size)")]
    public void What_is_not_understood_is_refused(string query) => Assert.Throws<FormatException>(() => PromQuery.Parse(query));
}
