namespace Millrace.Streams;

/// <summary>The layer above a stream (a partition): hears of progress and supplies state to keep with the data.</summary>
public interface IStreamOwner
{
    /// <summary>
    /// The owner's state as of a point in append order, taken under the lock the owner appends under, so that it reflects
    /// exactly the records below <see cref="OwnerState.Offset"/> (the stream's next offset at that moment). An upload cuts there.
    /// </summary>
    /// <param name="since">Where the range that is to be uploaded begins: the annex covers what ended in [since, Offset).</param>
    OwnerState Capture(long since);

    /// <summary>The confirm offset has risen. Called in order, from the WAL's completion path: must not block or throw.</summary>
    void OnConfirmed(long confirmOffset);

    /// <summary>The stream can be neither written nor trusted on this node any more. Called once.</summary>
    void OnLost(StreamError error);
}
