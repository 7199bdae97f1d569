namespace Millrace.Streams;

/// <summary>A stretch of a stream's offsets with its size and newest timestamp.</summary>
/// <param name="StartOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive.</param>
/// <param name="Bytes">Payload bytes.</param>
/// <param name="MaxTimestamp">The largest of its records: milliseconds since the Unix epoch; negative if none has a time (see <see
/// cref="StreamAppend"/>).</param>
public readonly record struct StreamExtent(long StartOffset, long EndOffset, long Bytes, long MaxTimestamp);
