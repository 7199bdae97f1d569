using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime.Ids;
using Millrace.Streams.Open;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Streams.Open;

public sealed class UnservedOpeningsTests : IDisposable
{
    private static readonly NodeIncarnation Self = new(new NodeId(1), new NodeEpoch(1));
    private readonly RealNode _node = new();
    private readonly TestRegistry _registry = new();
    private readonly UnservedOpenings _unserved;
    private int _closed;

    public UnservedOpeningsTests()
    {
        _registry.Before = call =>
        {
            _closed += call == "CloseAsync" ? 1 : 0;
            return default;
        };
        _unserved = new UnservedOpenings(new RegistryCalls(Self, _registry, new Retry(_node.Runtime, TestNode.Small, NullLogger.Instance)));
    }

    [Fact]
    public async Task One_that_never_served_is_closed_before_a_higher_epoch_opens_and_not_before_its_own()
    {
        var id = await OpenAsync(epoch: 3);
        await _unserved.CloseAsync(id, below: new StreamEpoch(3), default);
        await _unserved.CloseAsync(id, below: new StreamEpoch(2), default);
        Assert.Equal(0, _closed);
        await _unserved.CloseAsync(id, below: new StreamEpoch(4), default);
        await _unserved.CloseAsync(id, below: new StreamEpoch(5), default);
        Assert.Equal(1, _closed);
    }

    [Fact]
    public async Task One_that_has_come_to_serve_is_not_closed()
    {
        _unserved.Remove(await OpenAsync(epoch: 1));
        await _unserved.CloseAllAsync(default);
        Assert.Equal(0, _closed);
    }

    [Fact]
    public async Task All_are_closed_at_the_end_but_for_those_that_were_deleted()
    {
        var deleted = await OpenAsync(epoch: 1);
        await OpenAsync(epoch: 1);
        _registry.Delete(deleted);
        await _unserved.CloseAllAsync(default);
        await _unserved.CloseAllAsync(default);
        Assert.Equal(1, _closed);
    }

    public void Dispose() => _node.Dispose();

    private async Task<StreamId> OpenAsync(int epoch)
    {
        var id = await _registry.CreateAsync(Self, default);
        _unserved.Add(id, new StreamEpoch(epoch));
        await _registry.OpenAsync(Self, id, new StreamEpoch(epoch), default);
        return id;
    }
}
