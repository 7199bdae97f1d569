namespace Millrace.Streams.State;

/// <summary>
/// What a stream owes of its owner's state: where the newest checkpoint stands, how much has come since, and who waits for another.
/// </summary>
/// <remarks>
/// One goes along with an upload when the records since the last are as many bytes as it takes: what idempotent producers leave behind may be
/// large, and would otherwise go with every few records. Whoever opens the stream replays about as much as it reads anyway: so what it replays
/// counts, too, lest recovered ranges, which carry none, pile up behind the last one. Threading: one caller at a time (the stream's lock).
/// </remarks>
/// <param name="committed">The offset of the newest one that is committed; 0 if there is none.</param>
/// <param name="lastBytes">How large the last one was.</param>
/// <param name="bytesSince">Payload bytes that are committed behind it.</param>
internal sealed class CheckpointDebt(long committed, int lastBytes, long bytesSince)
{
    private readonly OffsetWaiters _waiters = new();
    private long _committed = committed;
    private int _lastBytes = lastBytes;

    /// <summary>Payload bytes behind the last one that was taken.</summary>
    public long BytesSince { get; private set; } = bytesSince;

    /// <summary>Somebody waits for one that no upload has taken yet.</summary>
    public bool IsWanted { get; private set; }

    /// <summary>The next upload takes one.</summary>
    public bool IsDue => IsWanted || BytesSince >= _lastBytes;

    public void OnAppended(int payload) => BytesSince += payload;

    /// <summary>Whether a committed one covers everything below an offset.</summary>
    public bool Covers(long offset) => _committed >= offset;

    /// <summary>Wants one at or above an offset: the task ends when it is committed.</summary>
    public Task Want(long offset)
    {
        IsWanted = true;
        return _waiters.Add(offset);
    }

    /// <summary>An upload has taken one of so many bytes.</summary>
    public void OnTaken(int bytes) => (IsWanted, _lastBytes, BytesSince) = (false, bytes, 0);

    /// <summary>One is committed, or there is no state to keep below an offset.</summary>
    public void OnCommitted(long offset)
    {
        _committed = Math.Max(_committed, offset);
        _waiters.Advance(offset);
        IsWanted &= _waiters.Any;
    }

    /// <summary>The one that was on its way may not have come. Whether it has is not worth knowing: another one is cheap.</summary>
    /// <returns>Whether somebody waits for one.</returns>
    public bool WantAgain() => IsWanted |= _waiters.Any;

    /// <summary>No more will come.</summary>
    public void Fail(StreamException reason) => _waiters.Fail(reason);
}
