using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>A range that is open in the name of a fenced incarnation, and waits for its WAL.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">The range's epoch. Records that the WAL has of the stream at another one do not count: that range is closed.</param>
/// <param name="EndOffset">
/// Where it is committed up to, and so where the records begin that only the WAL has; of a share that was recovered, where the last of those ends.
/// </param>
public readonly record struct ShareRange(StreamId Stream, StreamEpoch Epoch, long EndOffset);
