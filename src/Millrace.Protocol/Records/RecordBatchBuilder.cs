using System.Buffers;
using System.Text;
using Millrace.Protocol.Primitives;

namespace Millrace.Protocol.Records;

/// <summary>
/// Puts records together into a batch: for coordinators, tools and tests. Reusable after <see cref="Build"/>; not
/// thread-safe.
/// </summary>
public sealed class RecordBatchBuilder
{
    private readonly ArrayBufferWriter<byte> _records = new();
    private readonly ArrayBufferWriter<byte> _record = new();
    private long _baseTimestamp;
    private long _maxTimestamp;

    public CompressionCodec Codec { get; init; }

    public long BaseOffset { get; init; }

    public int PartitionLeaderEpoch { get; init; } = -1;

    public TimestampType TimestampType { get; init; }

    public long ProducerId { get; init; } = -1;

    public short ProducerEpoch { get; init; } = -1;

    public int BaseSequence { get; init; } = -1;

    public bool IsTransactional { get; init; }

    public bool IsControl { get; init; }

    /// <summary>Records so far.</summary>
    public int Count { get; private set; }

    /// <summary>The size of the batch so far, before compression.</summary>
    public int UncompressedSize => RecordBatchHeader.Size + _records.WrittenCount;

    /// <summary>An upper bound for what one more record adds before compression, headers aside.</summary>
    public static int MaxRecordSize(int keyLength, int valueLength) => (5 * sizeof(int)) + 10 + 1 + keyLength + valueLength;

    /// <param name="timestamp">Milliseconds since 1970.</param>
    /// <param name="key">May be null.</param>
    /// <param name="value">May be null: a tombstone.</param>
    /// <param name="headers">In order.</param>
    public void Append(long timestamp, byte[]? key, byte[]? value, IReadOnlyList<RecordHeader>? headers = null) =>
        Append(timestamp, AsMemory(key), AsMemory(value), headers);

    /// <inheritdoc cref="Append(long, byte[], byte[], IReadOnlyList{RecordHeader})"/>
    public void Append(long timestamp, ReadOnlyMemory<byte>? key, ReadOnlyMemory<byte>? value, IReadOnlyList<RecordHeader>? headers = null)
    {
        if (Count == 0)
        {
            _baseTimestamp = _maxTimestamp = timestamp;
        }

        _maxTimestamp = Math.Max(_maxTimestamp, timestamp);
        var writer = new KafkaWriter(_record);
        writer.WriteInt8(0);
        writer.WriteVarlong(timestamp - _baseTimestamp);
        writer.WriteVarint(Count);
        WriteNullable(ref writer, key);
        WriteNullable(ref writer, value);
        writer.WriteVarint(headers?.Count ?? 0);
        for (var i = 0; i < headers?.Count; i++)
        {
            WriteNullable(ref writer, Encoding.UTF8.GetBytes(headers[i].Key));
            WriteNullable(ref writer, headers[i].Value);
        }

        writer.Flush();
        var output = new KafkaWriter(_records);
        output.WriteVarint(_record.WrittenCount);
        output.WriteRaw(_record.WrittenSpan);
        output.Flush();
        _record.ResetWrittenCount();
        Count++;
    }

    /// <summary>The batch; the builder is empty afterwards. A batch without records is what cleaning leaves of an emptied one.</summary>
    public byte[] Build()
    {
        var compressed = _records;
        if (Codec != CompressionCodec.None)
        {
            compressed = new ArrayBufferWriter<byte>(Math.Max(256, _records.WrittenCount / 2));
            RecordCompression.Compress(Codec, level: null, _records.WrittenSpan, compressed);
        }

        var batch = new byte[RecordBatchHeader.Size + compressed.WrittenCount];
        compressed.WrittenSpan.CopyTo(batch.AsSpan(RecordBatchHeader.Size));
        var header = new RecordBatchHeader
        {
            BaseOffset = BaseOffset,
            Length = batch.Length - RecordBatchHeader.LengthOverhead,
            PartitionLeaderEpoch = PartitionLeaderEpoch,
            Magic = RecordBatchHeader.CurrentMagic,
            Attributes = Attributes(),
            LastOffsetDelta = Math.Max(0, Count - 1),
            BaseTimestamp = _baseTimestamp,
            MaxTimestamp = _maxTimestamp,
            ProducerId = ProducerId,
            ProducerEpoch = ProducerEpoch,
            BaseSequence = BaseSequence,
            RecordCount = Count,
        };
        header.Write(batch);
        header = header with { Crc = RecordBatchPatch.ComputeCrc(batch) };
        header.Write(batch);
        _records.ResetWrittenCount();
        Count = 0;
        return batch;
    }

    private short Attributes() => (short)((int)Codec
        | (TimestampType == TimestampType.LogAppendTime ? RecordBatchHeader.LogAppendTimeBit : 0)
        | (IsTransactional ? RecordBatchHeader.TransactionalBit : 0)
        | (IsControl ? RecordBatchHeader.ControlBit : 0));

    // Null must stay null; the implicit conversion would make it empty.
    private static ReadOnlyMemory<byte>? AsMemory(byte[]? bytes) => bytes is null ? (ReadOnlyMemory<byte>?)null : bytes;

    private static void WriteNullable(ref KafkaWriter writer, ReadOnlyMemory<byte>? value)
    {
        writer.WriteVarint(value?.Length ?? -1);
        if (value is { } bytes)
        {
            writer.WriteRaw(bytes.Span);
        }
    }
}
