using Millrace.Streams;
using Millrace.Streams.Cache;
using Xunit;

namespace Millrace.Tests.Streams.Cache;

public sealed class MemoryBudgetTests
{
    [Fact]
    public async Task Whoever_waits_is_admitted_in_the_order_of_asking()
    {
        var pressed = 0;
        var budget = new MemoryBudget(100, reserve: 0, () => pressed++);
        var first = await budget.AdmitAsync(80, default);
        var large = budget.AdmitAsync(90, default).AsTask();
        using var impatient = new CancellationTokenSource();
        var leaving = budget.AdmitAsync(10, impatient.Token).AsTask();
        var small = budget.AdmitAsync(10, default).AsTask();
        Assert.Equal(3, pressed);
        Assert.Equal(70, budget.Shortage);
        // The small ones would fit, but are behind the large one.
        Assert.False(small.IsCompleted);
        impatient.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);

        first.Dispose();
        first.Dispose();
        var admitted = await large;
        await small;
        Assert.Equal(0, budget.Shortage);
        admitted.Dispose();
    }

    [Fact]
    public async Task The_reserve_is_there_when_all_else_is_full_and_goes_first_when_there_is_room()
    {
        var budget = new MemoryBudget(100, reserve: 20, () => { });
        var all = await budget.AdmitAsync(100, default);
        var ordinary = budget.AdmitAsync(1, default).AsTask();
        var essential = budget.AdmitFromReserveAsync(20, default);
        Assert.True(essential.IsCompletedSuccessfully);
        var waiting = budget.AdmitFromReserveAsync(10, default).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal((2, 10), (budget.Waiting, budget.Shortage));

        (await essential).Dispose();
        (await waiting).Dispose();
        Assert.False(ordinary.IsCompleted);
        all.Dispose();
        (await ordinary).Dispose();
        Assert.Equal(0, budget.Waiting);
    }

    [Fact]
    public async Task When_the_one_in_front_gives_up_those_behind_move_up()
    {
        var budget = new MemoryBudget(100, reserve: 0, () => { });
        using var first = await budget.AdmitAsync(80, default);
        using var impatient = new CancellationTokenSource();
        var large = budget.AdmitAsync(90, impatient.Token).AsTask();
        var small = budget.AdmitAsync(20, default).AsTask();
        impatient.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        (await small.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
    }

    [Fact]
    public async Task What_is_larger_than_everything_passes_when_it_is_alone()
    {
        var budget = new MemoryBudget(100, reserve: 0, () => { });
        var small = await budget.AdmitAsync(1, default);
        var huge = budget.AdmitAsync(1000, default).AsTask();
        Assert.False(huge.IsCompleted);
        small.Dispose();
        (await huge.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public async Task Closing_fails_those_who_wait_and_those_who_come()
    {
        var budget = new MemoryBudget(100, reserve: 0, () => { });
        using var all = await budget.AdmitAsync(100, default);
        var waiting = budget.AdmitAsync(1, default).AsTask();
        budget.Close(new StreamException(StreamError.WalFailed, "test"));
        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(() => waiting)).Error);
        Assert.Equal(StreamError.WalFailed, (await Assert.ThrowsAsync<StreamException>(async () => await budget.AdmitAsync(1, default))).Error);
    }
}
