using System.Collections;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Cache;

/// <summary>Consecutive records of a stream, read from where the log cache has them: an upload copies none. They must not be dropped meanwhile.</summary>
internal sealed class CachedRecords(StreamId stream, StreamEpoch epoch, LogCursor first, int count) : IReadOnlyCollection<StreamRecord>
{
    public int Count => count;

    public IEnumerator<StreamRecord> GetEnumerator()
    {
        var cursor = first;
        for (var i = 0; i < count; i++)
        {
            if (i > 0)
            {
                cursor.MoveNext();
            }

            yield return cursor.Record.ToRecord(stream, epoch);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
