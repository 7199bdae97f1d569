using Millrace.Runtime.Buffers;

namespace Millrace.Streams;

/// <summary>What an owner appends to its stream.</summary>
/// <param name="Count">How many offsets it takes; at least 1.</param>
/// <param name="MaxTimestamp">
/// The largest timestamp in it, milliseconds since the Unix epoch. Negative if it has none: lookups by time pass it over then, and
/// what the number means is the owner's business. Of several records together the largest number counts.
/// </param>
/// <param name="Payload">A part of <paramref name="Buffer"/>'s memory; unchanged from now on.</param>
/// <param name="Buffer">The memory's holder. The stream retains it for as long as it needs the payload; the caller keeps its own hold.</param>
public readonly record struct StreamAppend(long Count, long MaxTimestamp, ReadOnlyMemory<byte> Payload, PooledBuffer Buffer)
{
    /// <summary>
    /// CRC-32C of the payload if the caller knows it, else null: WAL and objects then need not compute it again. An append with a wrong
    /// one is refused, since what is stored under it, and beside it, could not be read.
    /// </summary>
    public uint? PayloadChecksum { get; init; }
}
