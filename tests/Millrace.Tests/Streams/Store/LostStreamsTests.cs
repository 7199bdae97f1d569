using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.State;
using Millrace.Streams.Store;
using Xunit;

namespace Millrace.Tests.Streams.Store;

public sealed class LostStreamsTests : IDisposable
{
    private static readonly NodeIncarnation Self = new(new NodeId(1), new NodeEpoch(1));
    private readonly RealNode _node = new();
    private readonly Cores _cores = new();
    private readonly TestRegistry _registry = new();
    private readonly LostStreams _lost;

    public LostStreamsTests()
    {
        _registry.RegisterWal(_cores.Wal.Descriptor.Id, Self);
        _lost = new LostStreams(new RegistryCalls(Self, _registry, new Retry(_node.Runtime, TestNode.Small, NullLogger.Instance)), NullLogger.Instance);
    }

    [Fact]
    public async Task What_a_recovery_can_bring_the_wal_keeps()
    {
        var stream = await LoseAsync(records: 3, uploaded: 1);
        Assert.True(_lost.Pin(stream));
        _registry.Commit(stream.Id, 2);
        Assert.False(await _lost.SettleAsync(stream, default));
        Assert.Equal([stream], _lost.Pinning);
    }

    [Fact]
    public async Task What_is_committed_after_all_or_given_up_the_wal_need_not_keep()
    {
        var (committed, givenUp) = (await LoseAsync(records: 3, uploaded: 1), await LoseAsync(records: 3, uploaded: 1));
        Assert.True(_lost.Pin(committed) && _lost.Pin(givenUp));
        _registry.Commit(committed.Id, 3);
        _registry.GiveUp(givenUp.Id);
        Assert.True(await _lost.SettleAsync(committed, default));
        Assert.True(await _lost.SettleAsync(givenUp, default));
        Assert.Empty(_lost.Pinning);
        Assert.Empty(_registry.Damaged);
    }

    [Fact]
    public async Task A_gap_is_reported_before_the_records_behind_it_are_let_go()
    {
        var stream = await LoseAsync(records: 3, uploaded: 2);
        _lost.Pin(stream);
        _registry.Commit(stream.Id, 1);
        _registry.Before = call => call == "ReportDamageAsync" && _lost.Pinning.Count == 0 ? throw new InvalidOperationException("too late") : default;
        Assert.True(await _lost.SettleAsync(stream, default));
        Assert.Equal([stream.Id], _registry.Damaged);
        Assert.Empty(_lost.Pinning);
    }

    [Fact]
    public async Task A_fenced_node_leaves_the_wal_as_it_is()
    {
        var stream = await LoseAsync(records: 3, uploaded: 2);
        _lost.Pin(stream);
        _registry.Fence(Self);
        Assert.False(await _lost.SettleAsync(stream, default));
        Assert.Equal([stream], _lost.Pinning);
    }

    [Fact]
    public async Task A_stream_of_which_objects_hold_all_has_nothing_to_keep() =>
        Assert.False(_lost.Pin(await LoseAsync(records: 2, uploaded: 2)));

    public void Dispose()
    {
        _cores.Dispose();
        _node.Dispose();
    }

    private async Task<StreamCore> LoseAsync(int records, int uploaded)
    {
        var id = await _registry.CreateAsync(Self, default);
        await _registry.OpenAsync(Self, id, new StreamEpoch(1), default);
        var stream = _cores.Open(id.Value);
        for (var i = 0; i < records; i++)
        {
            _cores.Append(stream, walPosition: 10 * i);
        }

        Cores.Commit(stream, uploaded);
        stream.Lose(new StreamException(StreamError.Fenced, "the test"));
        Assert.Equal(stream, _cores.Lost[^1]);
        return stream;
    }
}
