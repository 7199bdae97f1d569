using System.Globalization;
using Millrace.Runtime.Linux;
using Xunit;

namespace Millrace.Tests.Runtime.Linux;

public sealed class MachineTimeTests
{
    [Fact]
    public async Task Timestamps_count_from_the_start_of_the_machine_its_suspensions_included()
    {
        var time = MachineTime.Instance;
        var before = time.GetTimestamp();
        // The system's own count of the same.
        var uptime = (await File.ReadAllTextAsync("/proc/uptime", TestContext.Current.CancellationToken)).Split(' ')[0];
        var after = time.GetTimestamp();

        Assert.InRange(
            double.Parse(uptime, CultureInfo.InvariantCulture),
            (double)before / time.TimestampFrequency - 0.02,
            (double)after / time.TimestampFrequency + 0.02);
    }
}
