using Millrace.Runtime.Ids;

namespace Millrace.Streams.Upload;

/// <summary>
/// Ids for objects of uploads to come, each handed out with the commit of an upload before: so an upload need not ask first, which would be a round trip and
/// an entry of the metadata log.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="time">For their age.</param>
internal sealed class PreparedIds(TimeProvider time)
{
    // A controller takes no object whose id it handed out more than an hour ago. One that has a shorter limit says so, and is asked for another.
    private static readonly TimeSpan Usable = TimeSpan.FromMinutes(30);

    // As many as uploads that may be under way; there is room for them before any is asked for.
    private const int Most = 16;

    private readonly Lock _lock = new();
    private readonly Queue<(ObjectId Id, long Since)> _ids = new(Most);

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _ids.Count == 0;
            }
        }
    }

    /// <summary>Keeps one, if there is room. Cannot fail.</summary>
    public void Add(ObjectId id)
    {
        lock (_lock)
        {
            if (_ids.Count < Most)
            {
                _ids.Enqueue((id, time.GetTimestamp()));
            }
        }
    }

    /// <summary>One that may still be used; null if there is none. Whoever gets it writes to it, or nobody does.</summary>
    public ObjectId? Take()
    {
        lock (_lock)
        {
            while (_ids.TryDequeue(out var next))
            {
                if (time.GetElapsedTime(next.Since) < Usable)
                {
                    return next.Id;
                }
            }

            return null;
        }
    }
}
