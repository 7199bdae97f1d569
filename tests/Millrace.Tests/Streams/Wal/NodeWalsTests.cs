using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Streams.Wal;

/// <summary>A store whose streams lie in two WALs.</summary>
public sealed class NodeWalsTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TestWal _additional = new(new NodeId(1), new NodeEpoch(1), WalKind.Object) { MaxRecordBytes = 1 << 20 };
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly TestNode _node;
    private TestOwner _usual = null!;
    private TestOwner _chosen = null!;

    public NodeWalsTests() => _node = new TestNode(_registry, _storage, additional: _additional);

    [Fact]
    public async Task A_stream_appends_to_its_own_and_an_upload_of_both_trims_both()
    {
        await OpenAsync();
        await _node.AppendAsync(_usual);
        await _node.AppendAsync(_chosen);
        await _node.AppendAsync(_chosen);
        Assert.Equal((1, 2), (_node.Wal.Records.Count, _additional.Records.Count));
        Assert.Equal((null, WalKind.Object), (_usual.Stream.Wal, _chosen.Stream.Wal));

        await _node.UploadAsync();

        Assert.True(await Eventually.BecomesTrueAsync(() => _node.Wal.Records.Count + _additional.Records.Count == 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_loss_of_either_ends_the_store(bool isDefault)
    {
        await OpenAsync();
        (isDefault ? _node.Wal : _additional).Fail(StreamError.Fenced);

        Assert.Equal(StreamError.Fenced, (await _node.Store.Lost.WaitAsync(Patience)).Error);
        Assert.Equal(StreamError.Fenced, await _usual.Lost.WaitAsync(Patience));
        Assert.Equal(StreamError.Fenced, await _chosen.Lost.WaitAsync(Patience));
    }

    [Fact]
    public async Task An_upload_begins_when_either_is_half_full()
    {
        await OpenAsync();
        await _node.AppendAsync(_usual);
        _additional.Fullness = 0.6;
        _node.Store.Planner.Wake();

        Assert.True(await Eventually.BecomesTrueAsync(() => _usual.Stream.CommittedOffset == 1));
    }

    [Fact]
    public void Records_are_as_large_as_the_smallest_takes()
    {
        var wals = new NodeWals(_node.Wal, _additional);

        Assert.Equal(1 << 20, wals.MaxRecordBytes);
        Assert.Equal(1 << 20, _node.Store.MaxAppendBytes);
        Assert.Same(_additional, wals.Find(WalKind.Object));
        Assert.Same(_node.Wal, wals.Find(null));
        Assert.Throws<InvariantViolationException>(() => wals.Find(WalKind.Block));
        Assert.Throws<InvariantViolationException>(() => wals.Find(WalKind.Memory));
        Assert.Throws<InvariantViolationException>(() => new NodeWals(_node.Wal, new TestWal(new NodeId(1), new NodeEpoch(1))));
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        await _storage.DisposeAsync();
    }

    private async Task OpenAsync()
    {
        _usual = await _node.CreateAsync();
        _registry.WalOf = stream => stream == _usual.Stream.Id ? null : WalKind.Object;
        _chosen = await _node.CreateAsync();
    }
}
