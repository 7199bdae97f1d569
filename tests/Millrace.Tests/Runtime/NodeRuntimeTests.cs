using Xunit;

namespace Millrace.Tests.Runtime;

public sealed class NodeRuntimeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task What_a_part_cannot_contain_ends_the_part_and_not_the_node()
    {
        using var node = new RealNode();
        await using var part = node.Runtime.NewPart();
        _ = part.Spawn("loop", _ => throw new InvalidDataException("nonsense"));

        var failure = await part.Failed.WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.IsType<InvalidDataException>(failure.InnerException);
        Assert.True(part.Stopping.IsCancellationRequested);
        Assert.False(node.Runtime.Failed.IsCompleted);
        Assert.False(node.Runtime.Stopping.IsCancellationRequested);
    }

    [Fact]
    public async Task A_part_stops_with_its_node()
    {
        using var node = new RealNode();
        await using var part = node.Runtime.NewPart();
        var loop = part.Spawn("loop", token => Task.Delay(Timeout.Infinite, token));

        node.Runtime.Stop();

        await loop.WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.False(part.Failed.IsCompleted);
    }

    [Fact]
    public async Task Nothing_of_a_part_runs_any_more_when_it_has_been_disposed()
    {
        using var node = new RealNode();
        var part = node.Runtime.NewPart();
        var goesOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var loop = part.Spawn("one that ends late", _ => goesOn.Task);

        var disposing = part.DisposeAsync().AsTask();
        Assert.False(disposing.IsCompleted);
        goesOn.SetResult();
        await disposing.WaitAsync(Limit, TestContext.Current.CancellationToken);

        await loop.WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.False(node.Runtime.Stopping.IsCancellationRequested);
    }
}
