namespace Millrace.Streams.Wal.Memory;

/// <summary>What a memory WAL holds: it outlives its writer, as a disk would.</summary>
internal sealed class MemoryWalLog
{
    private readonly Lock _lock = new();
    private readonly LinkedList<(long Position, StreamRecord Record)> _records = new();
    private StreamException? _ended;
    private long _next;

    public long Append(in StreamRecord record)
    {
        // The caller's memory is its own again once this returns.
        var kept = record with { Payload = record.Payload.ToArray() };
        lock (_lock)
        {
            if (_ended is not null)
            {
                throw new StreamException(_ended.Error, _ended.Message, _ended);
            }

            _records.AddLast((_next, kept));
            return _next++;
        }
    }

    public void Trim(long position)
    {
        lock (_lock)
        {
            while (_records.First is { } oldest && oldest.Value.Position < position)
            {
                _records.RemoveFirst();
            }
        }
    }

    /// <summary>Nothing is appended any more. The first reason counts.</summary>
    public bool End(StreamException reason)
    {
        lock (_lock)
        {
            var first = _ended is null;
            _ended ??= reason;
            return first;
        }
    }

    public IReadOnlyList<StreamRecord> Snapshot()
    {
        lock (_lock)
        {
            return [.. _records.Select(kept => kept.Record)];
        }
    }
}
