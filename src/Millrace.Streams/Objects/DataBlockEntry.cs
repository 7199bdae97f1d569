using System.Buffers.Binary;

namespace Millrace.Streams.Objects;

/// <summary>A data block in an object's index.</summary>
/// <remarks>Layout, little endian: i64 first offset, i64 end offset, i64 max timestamp, i64 position, i32 size, i32 record count.</remarks>
/// <param name="FirstOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive.</param>
/// <param name="MaxTimestamp">The largest of its records: milliseconds since the Unix epoch; negative if none has a time (see <see
/// cref="StreamAppend"/>).</param>
/// <param name="Position">Of its first byte in the object.</param>
/// <param name="Size">Bytes, table included.</param>
/// <param name="RecordCount">At least 1.</param>
internal readonly record struct DataBlockEntry(
    long FirstOffset, long EndOffset, long MaxTimestamp, long Position, int Size, int RecordCount)
{
    public const int EncodedSize = 40;

    public static DataBlockEntry Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt64LittleEndian(from),
        BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
        BinaryPrimitives.ReadInt32LittleEndian(from[32..]),
        BinaryPrimitives.ReadInt32LittleEndian(from[36..]));

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, FirstOffset);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], EndOffset);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], MaxTimestamp);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], Position);
        BinaryPrimitives.WriteInt32LittleEndian(to[32..], Size);
        BinaryPrimitives.WriteInt32LittleEndian(to[36..], RecordCount);
    }
}
