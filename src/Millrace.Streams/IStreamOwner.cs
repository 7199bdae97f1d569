namespace Millrace.Streams;

/// <summary>The layer above a stream (a partition): hears of progress and supplies state to keep with the data.</summary>
public interface IStreamOwner
{
    /// <summary>
    /// The owner's state as of a point in append order, taken under the lock the owner appends under, so that it reflects
    /// exactly the records below <see cref="OwnerState.Offset"/> (the stream's next offset at that moment). An upload cuts there.
    /// </summary>
    /// <param name="since">Where the range that is to be uploaded begins: the annex covers what ended in [since, Offset).</param>
    /// <param name="withCheckpoint">False where the last checkpoint is new enough: then none is made. The offset and the annex are wanted all the same.</param>
    OwnerState Capture(long since, bool withCheckpoint);

    /// <summary>The confirm offset has risen. Called in order, from the WAL's completion path: must not block. One that throws loses the stream.</summary>
    void OnConfirmed(long confirmOffset);

    /// <summary>The stream can be neither written nor trusted on this node any more. Called once.</summary>
    void OnLost(StreamError error);
}
