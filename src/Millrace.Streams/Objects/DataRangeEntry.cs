using System.Buffers.Binary;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Objects;

/// <summary>A range of one stream in an object's index, with its blocks and what its owner keeps with it.</summary>
/// <remarks>
/// Layout, little endian: i64 stream, i64 epoch, i64 start offset, i64 end offset, i64 payload bytes, i64 max timestamp, u64 and u64
/// digest, i32 first block, i32 block count, checkpoint, annex.
/// </remarks>
internal readonly record struct DataRangeEntry(
    StreamId Stream, StreamEpoch Epoch, long StartOffset, long EndOffset, long Bytes, long MaxTimestamp, RangeDigest Digest,
    int FirstBlock, int BlockCount, AttachmentEntry Checkpoint, AttachmentEntry Annex)
{
    public const int EncodedSize = 72 + 2 * AttachmentEntry.EncodedSize;

    public static DataRangeEntry Read(ReadOnlySpan<byte> from) => new(
        new StreamId(BinaryPrimitives.ReadInt64LittleEndian(from)),
        new StreamEpoch(BinaryPrimitives.ReadInt64LittleEndian(from[8..])),
        BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[32..]),
        BinaryPrimitives.ReadInt64LittleEndian(from[40..]),
        new RangeDigest(BinaryPrimitives.ReadUInt64LittleEndian(from[48..]), BinaryPrimitives.ReadUInt64LittleEndian(from[56..])),
        BinaryPrimitives.ReadInt32LittleEndian(from[64..]),
        BinaryPrimitives.ReadInt32LittleEndian(from[68..]),
        AttachmentEntry.Read(from[72..]),
        AttachmentEntry.Read(from[(72 + AttachmentEntry.EncodedSize)..]));

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, Stream.Value);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], Epoch.Value);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], StartOffset);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], EndOffset);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], Bytes);
        BinaryPrimitives.WriteInt64LittleEndian(to[40..], MaxTimestamp);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], Digest.High);
        BinaryPrimitives.WriteUInt64LittleEndian(to[56..], Digest.Low);
        BinaryPrimitives.WriteInt32LittleEndian(to[64..], FirstBlock);
        BinaryPrimitives.WriteInt32LittleEndian(to[68..], BlockCount);
        Checkpoint.Write(to[72..]);
        Annex.Write(to[(72 + AttachmentEntry.EncodedSize)..]);
    }
}
