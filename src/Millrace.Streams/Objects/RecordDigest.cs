using System.Buffers.Binary;
using System.IO.Hashing;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Objects;

/// <summary>The 128-bit hash of one record that range digests add up: XxHash128 over where it stands and over the hash of its payload.</summary>
/// <remarks>The epoch is left out, since a range has one. Hashed, little endian: i64 stream, base offset, count, max timestamp; payload hash.</remarks>
internal static class RecordDigest
{
    public static RangeDigest Of(in StreamRecord record)
    {
        Span<byte> place = stackalloc byte[48];
        BinaryPrimitives.WriteInt64LittleEndian(place, record.Stream.Value);
        BinaryPrimitives.WriteInt64LittleEndian(place[8..], record.BaseOffset);
        BinaryPrimitives.WriteInt64LittleEndian(place[16..], record.Count);
        BinaryPrimitives.WriteInt64LittleEndian(place[24..], record.MaxTimestamp);
        BinaryPrimitives.WriteUInt128LittleEndian(place[32..], XxHash128.HashToUInt128(record.Payload.Span));
        var hash = XxHash128.HashToUInt128(place);
        return new RangeDigest((ulong)(hash >> 64), (ulong)hash);
    }
}
