using System.Globalization;
using Millrace.Metadata.Configs;
using Millrace.Server.Options;
using Millrace.Server.Transport;
using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Launchers;

public sealed class ServiceUnitTests : IDisposable
{
    /// <summary>By systemd-analyze's count of what a service may do, from 0 to 100.</summary>
    private const int MostExposed = 15;

    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public async Task Systemd_finds_nothing_wrong_with_the_unit()
    {
        Assert.SkipUnless(Tool.IsInstalled("systemd-analyze"), "systemd-analyze is not installed");

        // The program is where it is only once the package is installed.
        var unit = _directory.Sub("millrace.service");
        var text = await File.ReadAllTextAsync(ServiceUnit.Packaged, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            unit, text.Replace("ExecStart=/usr/bin/millrace", "ExecStart=/bin/true", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        var result = await Tool.TryRunAsync("systemd-analyze", ["verify", "--man=no", unit]);
        Assert.Equal((0, "", ""), (result.ExitCode, result.Output, result.Errors));
    }

    [Fact]
    public async Task The_unit_lets_the_broker_do_little_more_than_it_has_to()
    {
        Assert.SkipUnless(Tool.IsInstalled("systemd-analyze"), "systemd-analyze is not installed");
        await Tool.RunAsync("systemd-analyze", ["security", "--no-pager", "--offline=yes", $"--threshold={MostExposed}", ServiceUnit.Packaged]);
    }

    [Fact]
    public void The_unit_gives_a_stop_more_time_than_the_broker_takes_for_it() => Assert.True(
        int.Parse(new ServiceUnit(ServiceUnit.Packaged)["TimeoutStopSec"], CultureInfo.InvariantCulture) * 1000L
        > NodeSettings.From([])[ServerSettings.StopLimit].AsLong());

    [Fact]
    public void The_unit_allows_as_many_descriptors_as_the_broker_wants_for_its_connections() => Assert.True(
        int.Parse(new ServiceUnit(ServiceUnit.Packaged)["LimitNOFILE"], CultureInfo.InvariantCulture)
        >= NodeSettings.From([])[BrokerConfigs.MaxConnections].AsLong() + DescriptorLimit.KeptBack);

    public void Dispose() => _directory.Dispose();
}
