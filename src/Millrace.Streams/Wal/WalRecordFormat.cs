using System.Buffers.Binary;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal;

/// <summary>A record as it stands in a WAL block: a header of fixed size, then the payload. Little-endian; part of format version 1.</summary>
/// <remarks>
/// <code>
///  0  int64  stream
///  8  int64  stream epoch
/// 16  int64  base offset
/// 24  int64  count
/// 32  int64  max timestamp
/// 40  int32  payload length
/// </code>
/// The block's checksum covers it.
/// </remarks>
internal static class WalRecordFormat
{
    public const int HeaderSize = 44;

    public static long SizeOf(in StreamRecord record) => HeaderSize + (long)record.Payload.Length;

    public static void WriteHeader(Span<byte> destination, in StreamRecord record)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination, record.Stream.Value);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], record.Epoch.Value);
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], record.BaseOffset);
        BinaryPrimitives.WriteInt64LittleEndian(destination[24..], record.Count);
        BinaryPrimitives.WriteInt64LittleEndian(destination[32..], record.MaxTimestamp);
        BinaryPrimitives.WriteInt32LittleEndian(destination[40..], record.Payload.Length);
    }

    /// <summary>Reads the record that stands first in <paramref name="bytes"/>, and moves past it.</summary>
    /// <returns>False if no whole record stands there.</returns>
    public static bool TryRead(ref ReadOnlyMemory<byte> bytes, out StreamRecord record)
    {
        var span = bytes.Span;
        record = default;
        if (span.Length < HeaderSize)
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(span[40..]);
        if (length < 0 || length > span.Length - HeaderSize)
        {
            return false;
        }

        record = new StreamRecord(
            new StreamId(BinaryPrimitives.ReadInt64LittleEndian(span)),
            new StreamEpoch(BinaryPrimitives.ReadInt64LittleEndian(span[8..])),
            BinaryPrimitives.ReadInt64LittleEndian(span[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(span[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(span[32..]),
            bytes.Slice(HeaderSize, length));
        bytes = bytes[(HeaderSize + length)..];
        return true;
    }
}
