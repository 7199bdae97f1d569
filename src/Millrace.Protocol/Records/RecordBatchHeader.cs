using System.Buffers.Binary;

namespace Millrace.Protocol.Records;

/// <summary>
/// The 61 bytes before a batch's records, format version 2. All numbers are big-endian:
/// <code>
///  0 base offset i64        8 length i32 (of all that follows)   12 partition leader epoch i32
/// 16 magic i8 = 2          17 CRC-32C u32 (of all that follows)  21 attributes i16
/// 23 last offset delta i32 27 base timestamp i64                 35 max timestamp i64
/// 43 producer id i64       51 producer epoch i16                 53 base sequence i32
/// 57 record count i32
/// </code>
/// </summary>
public readonly record struct RecordBatchHeader
{
    public const int Size = 61;

    public const sbyte CurrentMagic = 2;

    /// <summary>Bytes of base offset and length: what the length does not count.</summary>
    public const int LengthOverhead = 12;

    internal const int BaseOffsetAt = 0;
    internal const int LengthAt = 8;
    internal const int PartitionLeaderEpochAt = 12;
    internal const int MagicAt = 16;
    internal const int CrcAt = 17;
    internal const int AttributesAt = 21;
    internal const int LastOffsetDeltaAt = 23;
    internal const int BaseTimestampAt = 27;
    internal const int MaxTimestampAt = 35;
    internal const int ProducerIdAt = 43;
    internal const int ProducerEpochAt = 51;
    internal const int BaseSequenceAt = 53;
    internal const int RecordCountAt = 57;

    internal const short CodecMask = 0x07;
    internal const short LogAppendTimeBit = 0x08;
    internal const short TransactionalBit = 0x10;
    internal const short ControlBit = 0x20;
    internal const short DeleteHorizonBit = 0x40;

    public long BaseOffset { get; init; }

    /// <summary>Bytes behind the length field.</summary>
    public int Length { get; init; }

    public int PartitionLeaderEpoch { get; init; }

    public sbyte Magic { get; init; }

    public uint Crc { get; init; }

    public short Attributes { get; init; }

    public int LastOffsetDelta { get; init; }

    /// <summary>Milliseconds; the delete horizon instead, where <see cref="HasDeleteHorizon"/>.</summary>
    public long BaseTimestamp { get; init; }

    /// <summary>Milliseconds.</summary>
    public long MaxTimestamp { get; init; }

    public long ProducerId { get; init; }

    public short ProducerEpoch { get; init; }

    public int BaseSequence { get; init; }

    public int RecordCount { get; init; }

    /// <summary>The batch's bytes in all.</summary>
    public int SizeInBytes => Length + LengthOverhead;

    public long LastOffset => BaseOffset + LastOffsetDelta;

    public long NextOffset => LastOffset + 1;

    /// <summary>Sequence numbers wrap to 0 after the largest int.</summary>
    public int LastSequence => BaseSequence < 0 ? BaseSequence : (int)((BaseSequence + (long)LastOffsetDelta) & int.MaxValue);

    /// <summary>May name no known codec.</summary>
    public CompressionCodec Codec => (CompressionCodec)(Attributes & CodecMask);

    public TimestampType TimestampType => (Attributes & LogAppendTimeBit) == 0 ? TimestampType.CreateTime : TimestampType.LogAppendTime;

    public bool IsTransactional => (Attributes & TransactionalBit) != 0;

    public bool IsControl => (Attributes & ControlBit) != 0;

    public bool HasDeleteHorizon => (Attributes & DeleteHorizonBit) != 0;

    /// <summary>The producer is idempotent.</summary>
    public bool HasProducerId => ProducerId >= 0;

    /// <summary>Reads the header at the beginning of some bytes, whatever they say; false when they are too few.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out RecordBatchHeader header)
    {
        if (bytes.Length < Size)
        {
            header = default;
            return false;
        }

        header = new RecordBatchHeader
        {
            BaseOffset = BinaryPrimitives.ReadInt64BigEndian(bytes[BaseOffsetAt..]),
            Length = BinaryPrimitives.ReadInt32BigEndian(bytes[LengthAt..]),
            PartitionLeaderEpoch = BinaryPrimitives.ReadInt32BigEndian(bytes[PartitionLeaderEpochAt..]),
            Magic = (sbyte)bytes[MagicAt],
            Crc = BinaryPrimitives.ReadUInt32BigEndian(bytes[CrcAt..]),
            Attributes = BinaryPrimitives.ReadInt16BigEndian(bytes[AttributesAt..]),
            LastOffsetDelta = BinaryPrimitives.ReadInt32BigEndian(bytes[LastOffsetDeltaAt..]),
            BaseTimestamp = BinaryPrimitives.ReadInt64BigEndian(bytes[BaseTimestampAt..]),
            MaxTimestamp = BinaryPrimitives.ReadInt64BigEndian(bytes[MaxTimestampAt..]),
            ProducerId = BinaryPrimitives.ReadInt64BigEndian(bytes[ProducerIdAt..]),
            ProducerEpoch = BinaryPrimitives.ReadInt16BigEndian(bytes[ProducerEpochAt..]),
            BaseSequence = BinaryPrimitives.ReadInt32BigEndian(bytes[BaseSequenceAt..]),
            RecordCount = BinaryPrimitives.ReadInt32BigEndian(bytes[RecordCountAt..]),
        };
        return true;
    }

    /// <summary>Writes the header as it is, checksum included.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteInt64BigEndian(bytes[BaseOffsetAt..], BaseOffset);
        BinaryPrimitives.WriteInt32BigEndian(bytes[LengthAt..], Length);
        BinaryPrimitives.WriteInt32BigEndian(bytes[PartitionLeaderEpochAt..], PartitionLeaderEpoch);
        bytes[MagicAt] = (byte)Magic;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[CrcAt..], Crc);
        BinaryPrimitives.WriteInt16BigEndian(bytes[AttributesAt..], Attributes);
        BinaryPrimitives.WriteInt32BigEndian(bytes[LastOffsetDeltaAt..], LastOffsetDelta);
        BinaryPrimitives.WriteInt64BigEndian(bytes[BaseTimestampAt..], BaseTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(bytes[MaxTimestampAt..], MaxTimestamp);
        BinaryPrimitives.WriteInt64BigEndian(bytes[ProducerIdAt..], ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(bytes[ProducerEpochAt..], ProducerEpoch);
        BinaryPrimitives.WriteInt32BigEndian(bytes[BaseSequenceAt..], BaseSequence);
        BinaryPrimitives.WriteInt32BigEndian(bytes[RecordCountAt..], RecordCount);
    }
}
