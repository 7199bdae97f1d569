using System.Buffers.Binary;
using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>
/// Random record batches, put together in layers (records, codec's payload, header), each of which may be given a fault. The
/// checksum is made right afterwards, so that what stands behind it is what is tried. The same seed makes the same cases, each
/// from its number alone.
/// </summary>
internal static class BatchCases
{
    public static BatchCase Make(int seed, int number)
    {
        var random = new Random(HashOf(seed, number));
        var names = new List<string>();
        var header = new RecordBatchHeader
        {
            Magic = RecordBatchHeader.CurrentMagic,
            PartitionLeaderEpoch = -1,
            BaseTimestamp = DateTimeOffset.UnixEpoch.AddYears(55).ToUnixTimeMilliseconds() + random.Next(1000),
            ProducerId = -1,
            ProducerEpoch = -1,
            BaseSequence = -1,
        };
        var (records, count, maxDelta) = RecordLayer.Make(random, names);
        var (codec, payload) = CodecLayer.Make(random, records, names);
        payload = PayloadFaults.Make(random, payload, names);
        header = header with
        {
            Attributes = (short)codec,
            RecordCount = count,
            LastOffsetDelta = count - 1,
            MaxTimestamp = header.BaseTimestamp + maxDelta,
            Length = RecordBatchHeader.Size - RecordBatchHeader.LengthOverhead + payload.Length,
        };
        header = HeaderFaults.Make(random, header, names);
        var batch = EnvelopeFaults.Make(random, Assemble(header, payload), names);
        return new BatchCase(number, string.Join(" | ", names), batch);
    }

    public static byte[] Assemble(RecordBatchHeader header, byte[] payload)
    {
        var batch = new byte[RecordBatchHeader.Size + payload.Length];
        payload.CopyTo(batch, RecordBatchHeader.Size);
        header.Write(batch);
        (header with { Crc = RecordBatchPatch.ComputeCrc(batch) }).Write(batch);
        return batch;
    }

    private static int HashOf(int seed, int number)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, seed);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], number);
        return (int)Crc32C.Of(bytes);
    }
}
