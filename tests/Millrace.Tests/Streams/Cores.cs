using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;
using Millrace.Streams.State;

namespace Millrace.Tests.Streams;

/// <summary>Streams without a store, whose records stand where a test says.</summary>
internal sealed class Cores : IStreamHost, IDisposable
{
    private readonly BufferPool _buffers = new(maxIdleBytes: 1 << 20);
    private readonly MemoryBudget _budget = new(1 << 20, reserve: 0, () => { });

    public List<StreamCore> Lost { get; } = [];

    /// <summary>Where they say that their records are.</summary>
    public TestWal Wal { get; } = new(new NodeId(1), new NodeEpoch(1));

    public StreamCore Open(long id, int epoch = 1, IStreamOwner? owner = null, TestWal? wal = null) => new(
        new StreamId(id), new StreamEpoch(epoch), owner ?? new TestOwner(),
        new StreamOpening(0, 0, [new(new StreamEpoch(epoch), 0)], null), 0, 0, wal ?? Wal, this, _budget, _buffers);

    /// <summary>A record that takes one offset and stands at a place in the WAL.</summary>
    public void Append(StreamCore stream, long walPosition, bool isDurable = true)
    {
        var buffer = _buffers.Rent(10);
        stream.Cache.Reserve();
        stream.Cache.Add(new CachedRecord(stream.Offsets.Next, 1, -1, walPosition, buffer.Memory, buffer));
        stream.Offsets.Append(stream.Offsets.Next + 1, buffer.Memory.Length);
        buffer.Release();
        if (isDurable)
        {
            Confirm(stream);
        }
    }

    /// <summary>All that was appended is durable.</summary>
    public static void Confirm(StreamCore stream)
    {
        stream.Offsets.Confirm(stream.Offsets.Next);
        stream.Confirmed.Advance(stream.Offsets.Next);
    }

    /// <summary>Everything below an offset is committed in objects.</summary>
    public static void Commit(StreamCore stream, long end)
    {
        stream.Offsets.TakeCut(end);
        var bytes = 0L;
        for (var at = stream.Cache.Seek(stream.Offsets.Uploaded); at.IsAtRecord && at.Record.EndOffset <= end; at.MoveNext())
        {
            bytes += at.Record.Payload.Length;
        }

        stream.Offsets.Commit(end, bytes);
    }

    public void OnClosed(StreamCore stream)
    {
    }

    public void OnLost(StreamCore stream, StreamException reason) => Lost.Add(stream);

    public void Dispose() => _buffers.Dispose();
}
