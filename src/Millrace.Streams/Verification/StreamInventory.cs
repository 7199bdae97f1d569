using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Verification;

/// <summary>What the metadata says of one stream.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="StartOffset">The lowest offset that may be read.</param>
/// <param name="EndOffset">The committed end.</param>
/// <param name="Ranges">All committed ranges, in offset order.</param>
/// <param name="CheckpointRange">The newest range with a checkpoint, which may lie below the start offset; null if none.</param>
public sealed record StreamInventory(StreamId Stream, long StartOffset, long EndOffset, IReadOnlyList<ObjectRange> Ranges, ObjectRange? CheckpointRange);
