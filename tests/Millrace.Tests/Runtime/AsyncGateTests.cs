using Millrace.Runtime;
using Xunit;

namespace Millrace.Tests.Runtime;

public sealed class AsyncGateTests
{
    [Fact]
    public async Task Waiters_enter_in_the_order_they_came()
    {
        var gate = new AsyncGate(places: 1);
        await gate.EnterAsync(CancellationToken.None);
        var first = gate.EnterAsync(CancellationToken.None).AsTask();
        var second = gate.EnterAsync(CancellationToken.None).AsTask();
        Assert.False(first.IsCompleted);

        gate.Exit();
        await first;
        Assert.False(second.IsCompleted);
        gate.Exit();
        await second;
    }

    [Fact]
    public async Task A_waiter_that_gave_up_takes_no_place()
    {
        var gate = new AsyncGate(places: 1);
        await gate.EnterAsync(CancellationToken.None);
        using var patience = new CancellationTokenSource();
        var impatient = gate.EnterAsync(patience.Token).AsTask();
        patience.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);

        gate.Exit();
        await gate.EnterAsync(CancellationToken.None);
    }
}
