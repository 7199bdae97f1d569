using Millrace.Runtime.Ids;
using Millrace.Streams.Open;
using Millrace.Streams.Registry;
using Millrace.Streams.State;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Store;

/// <summary>
/// The streams that are open on this node, and what may not be opened any more: a stream at an epoch at which it was lost, or any once the
/// store has ended.
/// </summary>
/// <remarks>Threading: any thread. The lock of <see cref="UnservedOpenings"/> is taken inside its own.</remarks>
internal sealed class OpenStreams : IUploadHost
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<StreamId, LocalStream> _streams = [];

    // The newest epoch at which a stream was lost here while it was open.
    private readonly SortedDictionary<StreamId, StreamEpoch> _lostAt = [];
    private StreamException? _ended;

    /// <summary>By id.</summary>
    public IReadOnlyList<LocalStream> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _streams.Values];
            }
        }
    }

    IReadOnlyList<StreamUploads> IUploadHost.Streams
    {
        get
        {
            lock (_lock)
            {
                return [.. _streams.Values.Select(stream => stream.Uploads)];
            }
        }
    }

    /// <summary>None will be opened any more.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_lock)
            {
                return _ended is not null;
            }
        }
    }

    /// <exception cref="StreamException">Closed, or why the store has ended; Fenced: it was lost here at this epoch, or a higher one.</exception>
    /// <exception cref="InvalidOperationException">It is open already.</exception>
    public void ThrowIfNotOpenable(StreamId id, StreamEpoch epoch)
    {
        lock (_lock)
        {
            ThrowIfNotOpenable_NeedsLock(id, epoch);
        }
    }

    /// <summary>Those of some ranges, which the registry has open, that have come to serve here, and were not closed.</summary>
    public IReadOnlySet<StreamClose> ServedOf(IEnumerable<StreamClose> ranges)
    {
        lock (_lock)
        {
            return ranges
                .Where(range => _streams.ContainsKey(range.Stream) || (_lostAt.TryGetValue(range.Stream, out var lost) && lost >= range.Epoch))
                .ToHashSet();
        }
    }

    /// <summary>A stream has come to serve. Throws as <see cref="ThrowIfNotOpenable"/> does.</summary>
    public void Add(LocalStream stream, UnservedOpenings unserved)
    {
        lock (_lock)
        {
            ThrowIfNotOpenable_NeedsLock(stream.Id, stream.Epoch);
            _streams.Add(stream.Id, stream);
            unserved.Remove(stream.Id);
        }
    }

    public void RemoveClosed(StreamCore stream)
    {
        lock (_lock)
        {
            _streams.Remove(stream.Id);
        }
    }

    public void RemoveLost(StreamCore stream)
    {
        lock (_lock)
        {
            _streams.Remove(stream.Id);
            _lostAt[stream.Id] = stream.Epoch;
        }
    }

    /// <summary>The store is closing, unless it has ended already: nothing is opened any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _ended ??= new StreamException(StreamError.Closed, "The stream store is closing");
        }
    }

    /// <summary>The store has ended, for a reason that those hear who come from now on.</summary>
    public void End(StreamException reason)
    {
        lock (_lock)
        {
            _ended = reason;
        }
    }

    private void ThrowIfNotOpenable_NeedsLock(StreamId id, StreamEpoch epoch)
    {
        if (_ended is { } ended)
        {
            throw new StreamException(ended.Error, ended.Message, ended);
        }

        if (_streams.ContainsKey(id))
        {
            throw new InvalidOperationException($"Stream {id} is open on this node already");
        }

        // The registry would open it again, and the offsets of what is in the WAL would be given out a second time.
        if (_lostAt.TryGetValue(id, out var lost) && lost >= epoch)
        {
            throw new StreamException(StreamError.Fenced, $"Stream {id} was lost on this node at epoch {lost}: only a higher one can open it");
        }
    }
}
