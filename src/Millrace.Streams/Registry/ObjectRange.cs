using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>A stretch of one stream in one committed object.</summary>
/// <param name="Object">The object that holds it.</param>
/// <param name="Kind">Its format.</param>
/// <param name="ObjectSize">Bytes of the whole object.</param>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">The epoch whose owner appended it.</param>
/// <param name="StartOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive; equal to the start for a range that carries only a checkpoint.</param>
/// <param name="Bytes">Payload bytes.</param>
/// <param name="MaxTimestamp">The largest of its records: milliseconds since the Unix epoch; negative if none has a time (see <see
/// cref="StreamAppend"/>).</param>
/// <param name="HasCheckpoint">The object carries a checkpoint of this stream, as of the range's end.</param>
/// <param name="ObjectDigest">The sum of the digests of all records in the whole object.</param>
public sealed record ObjectRange(
    ObjectId Object, ObjectKind Kind, long ObjectSize, StreamId Stream, StreamEpoch Epoch, long StartOffset, long EndOffset,
    long Bytes, long MaxTimestamp, bool HasCheckpoint, RangeDigest ObjectDigest)
{
    /// <summary>Where the object lies.</summary>
    public StoreId Store { get; init; } = StoreId.Own;

    /// <summary>
    /// Where the range begins in the object. Lower than the start offset if a first part was already committed elsewhere: that part
    /// does not count, but its bytes are those of the whole.
    /// </summary>
    public long WrittenStartOffset { get; init; } = StartOffset;
}
