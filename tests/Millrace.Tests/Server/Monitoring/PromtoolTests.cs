using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Server.Monitoring;

/// <summary>The alerts, judged by Prometheus itself.</summary>
public sealed class PromtoolTests
{
    private const string Program = "promtool";

    [Theory]
    [InlineData("check", "rules", "millrace-alerts.yaml")]
    [InlineData("check", "config", "prometheus.yaml")]
    [InlineData("test", "rules", "millrace-alerts-test.yaml")]
    public async Task Prometheus_takes_what_is_shipped_and_alerts_fire_when_they_should(string verb, string what, string file)
    {
        Assert.SkipUnless(Tool.IsInstalled(Program), "promtool is not installed: it comes with Debian's package prometheus");

        await Tool.RunAsync(Program, [verb, what, Path.Combine(MonitoringFiles.Folder, file)]);
    }
}
