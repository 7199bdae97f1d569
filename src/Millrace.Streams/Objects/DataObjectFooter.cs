using System.Buffers.Binary;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Objects;

/// <summary>The last bytes of every data object, stream set and stream object alike: what it is, and where its index lies.</summary>
/// <remarks>
/// Layout, little endian:
/// <code>
///  0  i64  object id
///  8  i64  size of the whole object
/// 16  i64  position of the index
/// 24  i32  length of the index
/// 28  u32  CRC-32C of the index
/// 32  u8   kind (ObjectKind)
/// 33  u8   version, 1
/// 34       six zero bytes
/// 40  u32  CRC-32C of the 40 bytes before
/// 44  u32  magic "MRO1"
/// </code>
/// </remarks>
internal readonly record struct DataObjectFooter(
    ObjectId Object, long ObjectSize, long IndexPosition, int IndexLength, uint IndexCrc, ObjectKind Kind)
{
    public const int EncodedSize = 48;
    public const uint Magic = 0x314F524D;
    public const byte Version = 1;

    /// <summary>Null if the bytes are no footer of a version that is known here.</summary>
    public static DataObjectFooter? Read(ReadOnlySpan<byte> from)
    {
        if (from.Length != EncodedSize
            || BinaryPrimitives.ReadUInt32LittleEndian(from[44..]) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(from[40..]) != Crc32C.Of(from[..40])
            || from[33] != Version
            || from[32] is not ((byte)ObjectKind.StreamSet or (byte)ObjectKind.Stream))
        {
            return null;
        }

        return new DataObjectFooter(
            new ObjectId(BinaryPrimitives.ReadInt64LittleEndian(from)),
            BinaryPrimitives.ReadInt64LittleEndian(from[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadInt32LittleEndian(from[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[28..]),
            (ObjectKind)from[32]);
    }

    public void Write(Span<byte> to)
    {
        to[..EncodedSize].Clear();
        BinaryPrimitives.WriteInt64LittleEndian(to, Object.Value);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], ObjectSize);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], IndexPosition);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], IndexLength);
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], IndexCrc);
        to[32] = (byte)Kind;
        to[33] = Version;
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], Crc32C.Of(to[..40]));
        BinaryPrimitives.WriteUInt32LittleEndian(to[44..], Magic);
    }
}
