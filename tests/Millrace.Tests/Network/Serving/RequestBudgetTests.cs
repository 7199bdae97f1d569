using Millrace.Network.Serving;
using Xunit;

namespace Millrace.Tests.Network.Serving;

public sealed class RequestBudgetTests
{
    [Fact]
    public async Task Frames_wait_in_turn_for_room()
    {
        var budget = new RequestBudget(100);
        var first = await budget.AcquireAsync(80, default);
        var second = budget.AcquireAsync(50, default).AsTask();
        var third = budget.AcquireAsync(10, default).AsTask();
        Assert.False(second.IsCompleted);
        Assert.False(third.IsCompleted);

        budget.Release(first);

        budget.Release(await second);
        budget.Release(await third);
        Assert.Equal(0, budget.Used);
    }

    [Fact]
    public async Task A_frame_larger_than_the_budget_passes_alone()
    {
        var budget = new RequestBudget(100);
        var small = await budget.AcquireAsync(1, default);
        var large = budget.AcquireAsync(500, default).AsTask();
        Assert.False(large.IsCompleted);
        budget.Release(small);

        budget.Release(await large);
        Assert.Equal(0, budget.Used);
    }

    [Fact]
    public async Task A_waiter_that_gave_up_holds_up_nobody()
    {
        var budget = new RequestBudget(100);
        using var cancel = new CancellationTokenSource();
        var held = await budget.AcquireAsync(100, default);
        var gone = budget.AcquireAsync(100, cancel.Token).AsTask();
        var next = budget.AcquireAsync(100, default).AsTask();
        cancel.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);

        budget.Release(held);

        budget.Release(await next);
        Assert.Equal(0, budget.Used);
    }

    [Fact]
    public async Task Growing_frames_that_fill_the_budget_finish_one_after_another()
    {
        var budget = new RequestBudget(100);
        var a = await budget.AcquireAsync(50, default);
        var b = await budget.AcquireAsync(50, default);
        // Neither can be finished within the budget: one may exceed it, the other waits for that one.
        a = await budget.GrowAsync(a, 40, default);
        var growing = budget.GrowAsync(b, 40, default).AsTask();
        Assert.True(a.Overdraft);
        Assert.False(growing.IsCompleted);

        budget.Release(a);

        budget.Release(await growing);
        Assert.Equal(0, budget.Used);
    }

    [Fact]
    public async Task Growth_goes_before_new_frames()
    {
        var budget = new RequestBudget(100);
        var a = await budget.AcquireAsync(60, default);
        var b = await budget.AcquireAsync(40, default);
        a = await budget.GrowAsync(a, 10, default);
        var newcomer = budget.AcquireAsync(30, default).AsTask();
        var growing = budget.GrowAsync(b, 90, default).AsTask();

        budget.Release(a);

        b = await growing;
        Assert.False(newcomer.IsCompleted);
        budget.Release(b);
        budget.Release(await newcomer);
        Assert.Equal(0, budget.Used);
    }
}
