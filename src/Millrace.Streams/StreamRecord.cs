using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams;

/// <summary>One append to a stream, as it travels through WAL, cache and objects. Its payload is opaque here.</summary>
/// <param name="Stream">The stream it belongs to.</param>
/// <param name="Epoch">The epoch of the owner that appended it.</param>
/// <param name="BaseOffset">The offset of its first element.</param>
/// <param name="Count">How many offsets it takes; at least 1.</param>
/// <param name="MaxTimestamp">The largest timestamp of its elements, milliseconds since the Unix epoch; negative if they have none.</param>
/// <param name="Payload">The bytes; see who owns them where the record is handed over.</param>
public readonly record struct StreamRecord(
    StreamId Stream, StreamEpoch Epoch, long BaseOffset, long Count, long MaxTimestamp, ReadOnlyMemory<byte> Payload)
{
    /// <summary>CRC-32C of the payload where somebody has computed it already, or null.</summary>
    public uint? PayloadChecksum { get; init; }

    /// <summary>Exclusive.</summary>
    public long EndOffset => BaseOffset + Count;

    /// <summary>The checksum of what <paramref name="crc"/> is the checksum of, followed by the payload.</summary>
    internal uint AppendPayloadTo(uint crc) =>
        PayloadChecksum is { } known && Payload.Length >= Crc32C.WorthJoining
            ? Crc32C.Join(crc, known, Payload.Length)
            : Crc32C.Append(crc, Payload.Span);
}
