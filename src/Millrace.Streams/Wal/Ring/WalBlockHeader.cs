using System.Buffers.Binary;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.Ring;

/// <summary>The head of a block: one group of appends that became durable with one flush.</summary>
/// <remarks>
/// Layout, little-endian; the body (records, see <see cref="WalRecordFormat"/>) follows, then zeros up to the sector's end.
/// <code>
///  0  uint32  magic "MWB1"
///  4  uint16  format version      6  uint16  zero
///  8  uint32  CRC-32C of bytes 12 to 79
/// 12  uint32  CRC-32C of the body
/// 16  uuid    WAL id (big-endian): tells blocks of an earlier life of the space
/// 32  int64   node epoch
/// 40  int64   sequence: rises by one from block to block
/// 48  int64   confirmed: sequence of the last block that the writer knew durable, -1 if none
/// 56  int64   ring position of this block: tells blocks of an earlier lap
/// 64  int64   position of the first append in it
/// 72  int32   number of records
/// 76  int32   length of the body
/// </code>
/// </remarks>
internal readonly record struct WalBlockHeader(
    uint BodyChecksum, Guid Wal, NodeEpoch Epoch, long Sequence, long Confirmed, long RingPosition, long FirstAppend, int Count, int BodyLength)
{
    public const int Size = 80;
    private const uint Magic = 0x3142574D;

    /// <summary>Bytes in the ring.</summary>
    public long BlockLength => RingFormat.Align(Size + (long)BodyLength);

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[4..], RingFormat.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], BodyChecksum);
        Invariant.Check(Wal.TryWriteBytes(destination[16..], bigEndian: true, out _));
        BinaryPrimitives.WriteInt64LittleEndian(destination[32..], Epoch.Value);
        BinaryPrimitives.WriteInt64LittleEndian(destination[40..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(destination[48..], Confirmed);
        BinaryPrimitives.WriteInt64LittleEndian(destination[56..], RingPosition);
        BinaryPrimitives.WriteInt64LittleEndian(destination[64..], FirstAppend);
        BinaryPrimitives.WriteInt32LittleEndian(destination[72..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(destination[76..], BodyLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], Crc32C.Of(destination[12..Size]));
    }

    /// <summary>False if no valid block header of this version stands there.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out WalBlockHeader header)
    {
        header = default;
        if (bytes.Length < Size
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt16LittleEndian(bytes[4..]) != RingFormat.Version
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) != Crc32C.Of(bytes[12..Size]))
        {
            return false;
        }

        header = new(
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            new Guid(bytes.Slice(16, 16), bigEndian: true),
            new(BinaryPrimitives.ReadInt64LittleEndian(bytes[32..])),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[48..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[56..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[64..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[72..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[76..]));
        return true;
    }
}
