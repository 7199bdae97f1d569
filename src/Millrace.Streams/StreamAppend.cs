using Millrace.Runtime;

namespace Millrace.Streams;

/// <summary>What an owner appends to its stream.</summary>
/// <param name="Count">How many offsets it takes; at least 1.</param>
/// <param name="MaxTimestamp">The largest timestamp in it, milliseconds since the Unix epoch; -1 if none.</param>
/// <param name="Payload">A part of <paramref name="Buffer"/>'s memory; unchanged from now on.</param>
/// <param name="Buffer">The memory's holder. The stream retains it for as long as it needs the payload; the caller keeps its own hold.</param>
public readonly record struct StreamAppend(long Count, long MaxTimestamp, ReadOnlyMemory<byte> Payload, PooledBuffer Buffer);
