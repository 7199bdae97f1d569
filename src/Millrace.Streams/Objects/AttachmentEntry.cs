using System.Buffers.Binary;
using Millrace.Runtime.Buffers;

namespace Millrace.Streams.Objects;

/// <summary>Where a range's checkpoint or annex stands in an object.</summary>
/// <remarks>Layout, little endian: i64 position, i32 length, u32 CRC-32C of the bytes.</remarks>
internal readonly record struct AttachmentEntry(long Position, int Length, uint Crc)
{
    public const int EncodedSize = 16;

    public static AttachmentEntry Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt64LittleEndian(from),
        BinaryPrimitives.ReadInt32LittleEndian(from[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(from[12..]));

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, Position);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], Crc);
    }

    public static AttachmentEntry For(long position, ReadOnlySpan<byte> bytes) =>
        bytes.IsEmpty ? default : new(position, bytes.Length, Crc32C.Of(bytes));
}
