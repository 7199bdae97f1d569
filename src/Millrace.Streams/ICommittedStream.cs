namespace Millrace.Streams;

/// <summary>What is committed in objects of a stream that another node has open, for many readers, each at its own offset.</summary>
/// <remarks>Remembers where records lie, so that readers who go on do not ask the registry again. Holds nothing else. Threading: any thread.</remarks>
public interface ICommittedStream
{
    /// <summary>
    /// Reads whole records from the one that contains <paramref name="offset"/> on: at least one, else up to <paramref name="maxBytes"/> of payload. What was
    /// trimmed may be there all the same.
    /// </summary>
    /// <returns>Null where no object holds that offset, as far as the registry tells.</returns>
    /// <exception cref="StreamException">
    /// Unknown, StorageUnavailable, ControllerLost, Corrupt, Closed; OffsetOutOfRange: its object is gone, and the registry does not say where it is now.
    /// </exception>
    ValueTask<StreamRead?> ReadAsync(long offset, int maxBytes, CancellationToken token);
}
