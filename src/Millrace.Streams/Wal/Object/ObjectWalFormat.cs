using System.Buffers.Binary;

namespace Millrace.Streams.Wal.Object;

/// <summary>The payload of an object WAL's entry, version 1: a head, then records as in <see cref="WalRecordFormat"/>. Little-endian.</summary>
/// <remarks>
/// <code>
///  0  uint16  format version
///  2  uint16  zero
///  4  int32   number of records
///  8  int64   position of the first append in it
/// 16  records
/// </code>
/// The object log's own header holds checksum, order and identity.
/// </remarks>
internal static class ObjectWalFormat
{
    public const int HeadSize = 16;

    /// <summary>How many objects may be under way at once; recovery relies on every writer keeping to it.</summary>
    public const int InFlight = 8;

    /// <summary>
    /// How many objects a recovery reads at once, within the bytes that a log's reader may hold: a thousand small ones cost some sixteen latencies.
    /// </summary>
    public const int ReadAtOnce = 64;

    public const int MaxRecordBytes = 64 << 20;

    public const ushort Version = 1;

    public static void WriteHead(Span<byte> destination, int count, long firstAppend)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination, Version);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], count);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], firstAppend);
    }

    /// <summary>Which version's payload it is.</summary>
    public static ushort VersionOf(ReadOnlySpan<byte> payload) => payload.Length >= HeadSize ? BinaryPrimitives.ReadUInt16LittleEndian(payload) : (ushort)0;

    /// <summary>The number of records, or null if it is no payload of this version.</summary>
    public static int? TryReadCount(ReadOnlySpan<byte> payload) =>
        payload.Length >= HeadSize && BinaryPrimitives.ReadUInt16LittleEndian(payload) == Version
            ? BinaryPrimitives.ReadInt32LittleEndian(payload[4..])
            : null;
}
