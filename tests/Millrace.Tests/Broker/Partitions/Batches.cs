using System.Buffers;
using System.Text;
using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;
using Millrace.Streams;

namespace Millrace.Tests.Broker.Partitions;

/// <summary>Record batches as producers send them, and as they come back.</summary>
internal static class Batches
{
    public static byte[] Of(params string[] values) => Of(CompressionCodec.None, -1, values);

    public static byte[] Of(CompressionCodec codec, long timestamp, params string[] values) =>
        Build(new RecordBatchBuilder { Codec = codec }, values.Select(value => (timestamp, value)));

    public static byte[] At(params long[] timestamps) =>
        Build(new RecordBatchBuilder(), timestamps.Select(timestamp => (timestamp, "at " + timestamp)));

    public static byte[] At(CompressionCodec codec, params long[] timestamps) =>
        Build(new RecordBatchBuilder { Codec = codec }, timestamps.Select(timestamp => (timestamp, "at " + timestamp)));

    public static byte[] Idempotent(long producerId, short epoch, int sequence, int count = 1) => Build(
        new RecordBatchBuilder { ProducerId = producerId, ProducerEpoch = epoch, BaseSequence = sequence },
        Enumerable.Range(sequence, count).Select(number => (1_000L + number, "number " + number)));

    /// <summary>A batch of one record, of about this size.</summary>
    public static byte[] OfSize(int bytes) => Of(new string('x', bytes - 80));

    public static byte[] Build(RecordBatchBuilder builder, IEnumerable<(long Timestamp, string Value)> records)
    {
        foreach (var (timestamp, value) in records)
        {
            builder.Append(timestamp, Encoding.UTF8.GetBytes("k"), Encoding.UTF8.GetBytes(value));
        }

        return builder.Build();
    }

    /// <summary>Changes a batch's header and makes its checksum right again.</summary>
    public static byte[] Altered(byte[] batch, Func<RecordBatchHeader, RecordBatchHeader> change)
    {
        var altered = (byte[])batch.Clone();
        RecordBatchHeader.TryRead(altered, out var header);
        change(header).Write(altered);
        RecordBatchHeader.TryRead(altered, out header);
        (header with { Crc = RecordBatchPatch.ComputeCrc(altered) }).Write(altered);
        return altered;
    }

    public static PooledBuffer Frame(BufferPool buffers, ReadOnlySpan<byte> bytes)
    {
        var frame = buffers.Rent(bytes.Length);
        bytes.CopyTo(frame.GetSpan());
        return frame;
    }

    /// <summary>All records of some batches, as "offset:value".</summary>
    public static List<string> Read(ReadOnlySequence<byte>? batches) =>
        [.. RecordBatch.Split(batches?.ToArray() ?? []).SelectMany(Read)];

    public static List<string> Read(StreamRead? read) =>
        read is null ? [] : [.. read.Records.SelectMany(record => RecordBatch.Split(record.Payload.ToArray())).SelectMany(Read)];

    private static IEnumerable<string> Read(RecordBatch batch)
    {
        Xunit.Assert.True(batch.IsIntact);
        return batch.ReadRecords(1 << 20).Select(record => $"{record.Offset}:{Encoding.UTF8.GetString(record.Value!.Value.Span)}");
    }
}
