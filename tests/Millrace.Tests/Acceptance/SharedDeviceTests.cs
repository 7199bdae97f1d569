using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Brokers whose WALs lie on devices that all of them reach, fenced by the lock of their one host.</summary>
[Collection(AloneTestGroup.Name)]
public sealed class SharedDeviceTests(ITestOutputHelper output)
{
    [Fact]
    public Task Any_broker_may_be_killed_under_load_and_those_who_reach_its_device_lose_double_and_reorder_nothing() =>
        ClusterTests.KillUnderLoadAsync(output, "block", rounds: 2);
}
