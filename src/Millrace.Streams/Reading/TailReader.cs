using Millrace.Runtime.Buffers;
using Millrace.Streams.Cache;
using Millrace.Streams.State;

namespace Millrace.Streams.Reading;

/// <summary>Reads a stream's newest records, from memory.</summary>
/// <remarks>Threading: under the stream's lock.</remarks>
internal static class TailReader
{
    /// <summary>Reads from a cached record that is durable on.</summary>
    public static StreamRead Read_NeedsLock(StreamCore core, LogCursor first, int maxBytes)
    {
        var count = 0;
        var bytes = 0L;
        for (var at = first; at.IsAtRecord && at.Record.EndOffset <= core.Offsets.Confirmed; at.MoveNext())
        {
            bytes += at.Record.Payload.Length;
            if (count > 0 && (bytes > maxBytes || maxBytes <= 0))
            {
                break;
            }

            count++;
        }

        // Both before the first is held.
        var records = new StreamRecord[count];
        var holds = new PooledBuffer[count];
        var read = new StreamRead(records, () =>
        {
            foreach (var hold in holds)
            {
                hold.Release();
            }
        });
        var next = first;
        for (var i = 0; i < count; i++)
        {
            records[i] = next.Record.ToRecord(core.Id, core.Epoch);
            holds[i] = next.Record.Buffer.Retain();
            next.MoveNext();
        }

        return read;
    }

    /// <summary>The first cached record, from one on, that is durable and has a timestamp of at least this; null if none.</summary>
    public static StreamRead? Find_NeedsLock(StreamCore core, LogCursor first, long timestamp)
    {
        for (var at = first; at.IsAtRecord && at.Record.EndOffset <= core.Offsets.Confirmed; at.MoveNext())
        {
            if (at.Record.MaxTimestamp >= timestamp)
            {
                // Of no more than one record, since at least one is always read.
                return Read_NeedsLock(core, at, maxBytes: 0);
            }
        }

        return null;
    }
}
