using Millrace.Runtime;

namespace Millrace.Streams.State;

/// <summary>
/// How far a stream has come, step by step, none ahead of the one before: start ≤ uploaded (committed in objects) ≤ cut (in objects under
/// way) ≤ next (given out), and uploaded ≤ confirmed (durable) ≤ next. All only rise.
/// </summary>
/// <remarks>
/// What an upload takes is durable as a rule; of a stream that closes it may become so while the object is written, and is committed only then.
/// Threading: changed by one caller at a time (the stream's lock); read by any thread.
/// </remarks>
internal sealed class StreamOffsets
{
    private long _start;
    private long _uploaded;
    private long _cut;
    private long _confirmed;
    private long _next;
    private long _uncommittedBytes;

    /// <param name="start">The lowest offset that may be read.</param>
    /// <param name="end">Where the objects end, and the next record begins.</param>
    public StreamOffsets(long start, long end)
    {
        Invariant.Check(start <= end);
        _start = start;
        _uploaded = _cut = _confirmed = _next = end;
    }

    /// <summary>The lowest offset that may be read.</summary>
    public long Start => Volatile.Read(ref _start);

    /// <summary>Everything below is committed in objects, as far as this node knows.</summary>
    public long Uploaded => Volatile.Read(ref _uploaded);

    /// <summary>Everything below is in objects, committed or under way.</summary>
    public long Cut => Volatile.Read(ref _cut);

    /// <summary>Everything below is durable.</summary>
    public long Confirmed => Volatile.Read(ref _confirmed);

    /// <summary>What the next record gets.</summary>
    public long Next => Volatile.Read(ref _next);

    /// <summary>The payload of what lies between uploaded and next, in bytes.</summary>
    public long UncommittedBytes => Volatile.Read(ref _uncommittedBytes);

    /// <summary>Where a record would end that comes next.</summary>
    /// <exception cref="OverflowException">No stream is as long as that.</exception>
    public long EndOfNext(long count) => checked(_next + count);

    /// <summary>Gives the offsets below an end out, to a record of so much payload.</summary>
    public void Append(long end, long bytes)
    {
        Invariant.Check(end > _next);
        Volatile.Write(ref _next, end);
        Volatile.Write(ref _uncommittedBytes, _uncommittedBytes + bytes);
    }

    /// <summary>What was given out below an end is durable. Returns whether that is news.</summary>
    public bool Confirm(long end)
    {
        Invariant.Check(end <= _next);
        if (end <= _confirmed)
        {
            return false;
        }

        Volatile.Write(ref _confirmed, end);
        return true;
    }

    /// <summary>An upload takes what was given out below an end; nothing, where that is the last one's.</summary>
    public void TakeCut(long end)
    {
        Invariant.Check(end >= _cut && end <= _next);
        Volatile.Write(ref _cut, end);
    }

    /// <summary>What an upload took below an end is durable, and committed: so much payload.</summary>
    public void Commit(long end, long bytes)
    {
        Invariant.Check(end >= _uploaded && end <= _cut && end <= _confirmed && bytes <= _uncommittedBytes);
        Volatile.Write(ref _uploaded, end);
        Volatile.Write(ref _uncommittedBytes, _uncommittedBytes - bytes);
    }

    /// <summary>What is committed below an offset may not be read any more.</summary>
    public void Trim(long start)
    {
        Invariant.Check(start <= _uploaded);
        Volatile.Write(ref _start, Math.Max(_start, start));
    }
}
