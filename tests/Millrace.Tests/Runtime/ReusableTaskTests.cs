using Millrace.Runtime;
using Xunit;

namespace Millrace.Tests.Runtime;

public sealed class ReusableTaskTests
{
    private readonly IdleTasks<Delivery> _idle = new(new Lock());

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_was_awaited_serves_again_and_has_forgotten_what_it_served(bool continuesOnItsOwn)
    {
        var first = new Delivery(_idle, continuesOnItsOwn) { Parcel = "a parcel" };
        var task = first.Task;
        Assert.Null(_idle.Take());
        first.Complete();
        await task;

        Assert.Same(first, _idle.Take());
        Assert.Null(first.Parcel);
        var again = first.Task;
        Assert.False(again.IsCompleted);
        first.Fail(new InvalidOperationException("lost"));
        Assert.Equal("lost", (await Assert.ThrowsAsync<InvalidOperationException>(async () => await again)).Message);
        Assert.Same(first, _idle.Take());
    }

    [Fact]
    public void One_that_was_not_needed_is_idle_again()
    {
        new Delivery(_idle, continuesOnItsOwn: false).GiveBack();
        Assert.NotNull(_idle.Take());
        Assert.Null(_idle.Take());
    }

    [Fact]
    public async Task Awaiting_it_twice_is_noticed()
    {
        var delivery = new Delivery(_idle, continuesOnItsOwn: false);
        var task = delivery.Task;
        delivery.Complete();
        await task;
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await task);
    }

    [Fact]
    public async Task One_whose_result_is_asked_for_twice_or_too_early_is_idle_once()
    {
        // The tokens of its first use and its second.
        const short first = 0, second = 1;
        var delivery = new Delivery(_idle, continuesOnItsOwn: false);
        delivery.Complete();
        await delivery.Task;
        Assert.Throws<InvalidOperationException>(() => delivery.GetResult(first));
        Assert.Same(delivery, _idle.Take());
        Assert.Null(_idle.Take());

        // Nor is it taken from its next user, who still waits.
        delivery.Parcel = "a parcel";
        var task = delivery.Task;
        Assert.Throws<InvalidOperationException>(() => delivery.GetResult(first));
        Assert.Throws<InvalidOperationException>(() => delivery.GetResult(second));
        Assert.Equal("a parcel", delivery.Parcel);
        delivery.Complete();
        await task;
        Assert.Same(delivery, _idle.Take());
    }

    [Fact]
    public async Task Serving_again_takes_no_memory()
    {
        new Delivery(_idle, continuesOnItsOwn: false).GiveBack();
        await ServeAsync(100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        await ServeAsync(1000);
        // Less than a byte each: what is there is the test's own.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 999);
    }

    private async ValueTask ServeAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            var delivery = _idle.Take()!;
            var task = delivery.Task;
            delivery.Complete();
            await task;
        }
    }

    private sealed class Delivery(IdleTasks<Delivery> idle, bool continuesOnItsOwn) : ReusableTask<Delivery>(idle, continuesOnItsOwn)
    {
        public string? Parcel { get; set; }

        protected override void Forget() => Parcel = null;
    }
}
