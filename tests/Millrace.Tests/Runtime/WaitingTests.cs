using Millrace.Runtime;
using Millrace.Simulation.Kernel;
using Xunit;

namespace Millrace.Tests.Runtime;

public sealed class WaitingTests
{
    [Fact]
    public async Task A_cancelled_wait_ends_and_the_task_goes_on()
    {
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var patience = new CancellationTokenSource();
        var waiting = source.Task.OrCancelled(patience.Token);
        patience.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        source.SetResult(7);
        Assert.Equal(7, await source.Task.OrCancelled(CancellationToken.None));
    }

    [Fact]
    public void On_a_lane_waits_stay_on_it_whatever_ends_them()
    {
        using var kernel = new SimulationKernel(seed: 1);
        var lane = kernel.NewLane("node");
        var source = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1), lane.Time);
        kernel.Run(async () =>
        {
            await lane.Run(async () =>
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => source.Task.OrCancelled(patience.Token));
                Assert.Same(lane, kernel.Running);
            });
            var both = lane.Run(async () =>
            {
                await Waiting.Either(source.Task, Task.Delay(TimeSpan.FromHours(1), lane.Time));
                Assert.Same(lane, kernel.Running);
                Assert.Equal(7, await source.Task.OrCancelled(CancellationToken.None));
            });
            await kernel.Delay(TimeSpan.FromSeconds(1));
            source.SetResult(7);
            await both;
        });
    }
}
