using Millrace.Streams;

namespace Millrace.Tests.Streams;

/// <summary>A test of one node over a store and a registry in memory.</summary>
public abstract class StreamsTest : IAsyncDisposable
{
    private protected TestStorage Storage { get; } = new();

    private protected TestRegistry Registry { get; } = new();

    /// <summary>Set by <see cref="Start"/>.</summary>
    private protected TestNode Node { get; private set; } = null!;

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await Storage.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected TestNode Start(StreamsOptions? options = null) => Node = new TestNode(Registry, Storage, options);

    /// <summary>A small node with two streams, a record in each.</summary>
    private protected async Task<(TestNode Node, TestOwner First, TestOwner Second)> StartWithTwoAsync()
    {
        var node = Start(TestNode.Small);
        var (first, second) = (await node.CreateAsync(), await node.CreateAsync());
        await node.AppendAsync(first);
        await node.AppendAsync(second);
        return (node, first, second);
    }
}
