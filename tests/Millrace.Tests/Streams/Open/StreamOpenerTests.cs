using System.Text;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Streams.Open;

public sealed class StreamOpenerTests : IAsyncDisposable
{
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _node;

    public StreamOpenerTests() => _node = new TestNode(_registry, _storage);

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task A_stream_reopens_at_its_end_with_the_newest_checkpoint_and_its_epochs()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner, count: 5);
        await owner.Stream.CloseAsync(default);
        var again = await _node.OpenAsync(owner.Stream.Id, epoch: 4);

        Assert.Equal(5, again.Stream.NextOffset);
        Assert.Equal("state 5", Encoding.ASCII.GetString(again.Stream.Checkpoint!.Value.State.Span));
        Assert.Equal(5, again.Stream.Checkpoint!.Value.Offset);
        Assert.Equal([new(new StreamEpoch(1), 0), new(new StreamEpoch(4), 5)], again.Stream.Epochs);
        await _node.AppendAsync(again);
        Assert.Equal([0, 5], await TestNode.ReadAllAsync(again.Stream, 0));
    }

    [Fact]
    public async Task A_stream_that_was_lost_is_not_opened_again_at_its_epoch_since_its_offsets_are_given_out()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        await _node.UploadAsync();
        _registry.Forget(owner.Stream.Id);
        await _node.AppendAsync(owner);
        _node.Store.Planner.AskForAll();
        Assert.Equal(StreamError.Corrupt, await owner.Lost.WaitAsync(TimeSpan.FromSeconds(30)));

        await AssertErrorAsync(StreamError.Fenced, () => _node.OpenAsync(owner.Stream.Id, epoch: 1));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task An_opening_that_failed_half_way_hinders_neither_its_repetition_nor_a_higher_epoch(int epoch)
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        await owner.Stream.CloseAsync(default);
        _registry.Before = call => call == "GetRangesAsync" ? throw new StreamException(StreamError.Corrupt, "for a while") : default;
        await AssertErrorAsync(StreamError.Corrupt, () => _node.OpenAsync(owner.Stream.Id, epoch: 2));
        _registry.Before = _ => default;

        Assert.Equal([0], await TestNode.ReadAllAsync((await _node.OpenAsync(owner.Stream.Id, epoch)).Stream, 0));
    }

    [Fact]
    public async Task A_store_that_closes_closes_what_it_failed_to_open_too()
    {
        var owner = await _node.CreateAsync();
        await _node.AppendAsync(owner);
        await owner.Stream.CloseAsync(default);
        _registry.Before = call => call == "GetRangesAsync" ? throw new StreamException(StreamError.Corrupt, "for a while") : default;
        await AssertErrorAsync(StreamError.Corrupt, () => _node.OpenAsync(owner.Stream.Id, epoch: 2));
        _registry.Before = _ => default;
        await _node.Store.CloseAsync(default);

        await using var next = new TestNode(_registry, _storage, epoch: 2);
        Assert.Equal(1, (await next.OpenAsync(owner.Stream.Id, epoch: 3)).Stream.NextOffset);
    }

    private static async Task AssertErrorAsync(StreamError expected, Func<Task> action) =>
        Assert.Equal(expected, (await Assert.ThrowsAsync<StreamException>(action)).Error);
}
