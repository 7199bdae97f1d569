using Millrace.Metadata.Image;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Messages;

namespace Millrace.Controller.Log;

/// <summary>
/// What the newest entries of the metadata log say of the cluster image, for those who follow it: a few megabytes, and who lies further back reads the
/// bucket instead.
/// </summary>
/// <remarks>Threading: adding by the log's one caller, reading by any thread. Each reader waits at most once at a time.</remarks>
public sealed class RecentEntries
{
    /// <summary>Bytes of records that are kept.</summary>
    public const int Capacity = 16 << 20;

    private readonly Lock _lock = new();
    private readonly LinkedList<RecentEntry> _entries = new();
    private LogPlace _first;
    private LogPlace _next;
    private long _bytes;
    private TaskCompletionSource _news = NewSignal();

    /// <summary>Begins anew: what comes next is the entry at a place, and nothing before it is known.</summary>
    public void Restart(LogPlace first)
    {
        lock (_lock)
        {
            _entries.Clear();
            (_first, _next, _bytes) = (first, first, 0);
        }
    }

    /// <summary>An entry is committed.</summary>
    /// <param name="place">Above all before it.</param>
    /// <param name="before">The cluster image before it.</param>
    /// <param name="records">All its records; none of a seal.</param>
    public void Add(LogPlace place, MetadataImage before, IReadOnlyList<IRecord> records)
    {
        var entry = OfCluster(before, records) is { Count: > 0 } kept ? new RecentEntry(place, MetadataEntry.Write(kept)) : null;
        TaskCompletionSource? news = null;
        lock (_lock)
        {
            _next = place.Next;
            if (entry is not null)
            {
                _entries.AddLast(entry);
                _bytes += entry.Records.Length;
                (news, _news) = (_news, NewSignal());
            }

            while (_bytes > Capacity && _entries.First is { } oldest)
            {
                _entries.RemoveFirst();
                _bytes -= oldest.Value.Records.Length;
                _first = oldest.Value.Place.Next;
            }
        }

        news?.SetResult();
    }

    /// <summary>What there is from a place on, at once: one entry at least if there is any, and no more than fit.</summary>
    /// <param name="next">The first place that the reader does not know.</param>
    /// <param name="maxBytes">Of records.</param>
    /// <returns>Null if what is there is kept no more.</returns>
    public RecentPart? Read(LogPlace next, int maxBytes)
    {
        lock (_lock)
        {
            if (next < _first)
            {
                return null;
            }

            var part = new List<RecentEntry>();
            var bytes = 0L;
            var node = _entries.Last;
            while (node?.Previous is { } previous && previous.Value.Place >= next)
            {
                node = previous;
            }

            for (; node is not null; node = node.Next)
            {
                if (node.Value.Place >= next)
                {
                    if (part.Count > 0 && bytes + node.Value.Records.Length > maxBytes)
                    {
                        return new RecentPart(part, part[^1].Place.Next, Task.CompletedTask);
                    }

                    part.Add(node.Value);
                    bytes += node.Value.Records.Length;
                }
            }

            return new RecentPart(part, next > _next ? next : _next, part.Count > 0 ? Task.CompletedTask : _news.Task);
        }
    }

    private static List<IRecord> OfCluster(MetadataImage image, IReadOnlyList<IRecord> records)
    {
        var kept = new List<IRecord>();
        foreach (var record in records)
        {
            var after = image.Apply(record);
            if (!ReferenceEquals(after, image))
            {
                kept.Add(record);
                image = after;
            }
        }

        return kept;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
