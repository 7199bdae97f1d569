using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Brokers;

/// <summary>
/// Makes batches of all kinds: mostly small, now and then of up to a hundred kilobytes (from 16 KiB on, the broker joins a batch's checksum
/// into that of its block), compressed by every codec, and some that must be refused.
/// </summary>
internal sealed class BatchMaker(SimulationKernel kernel, SeededRandom random, bool zstd)
{
    private const int MostRecords = 4;
    private const int LargestValue = 24_000;
    private static readonly CompressionCodec[] Codecs = [CompressionCodec.Gzip, CompressionCodec.Snappy, CompressionCodec.Lz4, CompressionCodec.Zstd];

    /// <param name="partition">Where it goes.</param>
    /// <param name="flaw">What is wrong with it.</param>
    public SentBatch Make(PartitionOracle partition, BatchFlaw flaw = BatchFlaw.None)
    {
        var records = NewRecords(partition, null, flaw == BatchFlaw.TooLarge ? 2 * BrokerWorld.LargestBatch : 0);
        return Make(partition, records, flaw, new RecordBatchBuilder { Codec = flaw == BatchFlaw.TooLarge ? CompressionCodec.None : Codec() });
    }

    /// <summary>A batch of an idempotent producer.</summary>
    /// <param name="partition">Where it goes.</param>
    /// <param name="number">The producer's, as the oracle counts.</param>
    /// <param name="id">The producer's.</param>
    /// <param name="epoch">The producer's.</param>
    /// <param name="sequence">Of its first record.</param>
    public SentBatch MakeIdempotent(PartitionOracle partition, int number, long id, short epoch, int sequence) => Make(
        partition,
        NewRecords(partition, number, 0),
        BatchFlaw.None,
        new RecordBatchBuilder { Codec = Codec(), ProducerId = id, ProducerEpoch = epoch, BaseSequence = sequence });

    private int[] NewRecords(PartitionOracle partition, int? number, int atLeast)
    {
        var largest = random.Next(20) switch { 0 => LargestValue, < 4 => 4_000, _ => 500 };
        return [.. Enumerable.Range(0, random.Next(1, MostRecords + 1))
            .Select(_ => partition.NextRecord(RecordValue.HeadBytes + atLeast + random.Next(largest), number))];
    }

    private SentBatch Make(PartitionOracle partition, int[] records, BatchFlaw flaw, RecordBatchBuilder builder)
    {
        foreach (var record in records)
        {
            builder.Append((SimulationKernel.Epoch + kernel.Now).ToUnixTimeMilliseconds(), (byte[]?)null, partition.Value(record));
        }

        if (builder.Codec != CompressionCodec.None)
        {
            kernel.Coverage.Count($"batches: {builder.Codec}");
        }

        var bytes = builder.Build();
        if (bytes.Length >= Crc32C.WorthJoining)
        {
            kernel.Coverage.Count("batches: large enough for their checksum to be joined");
        }

        Spoil(bytes, flaw);
        return new SentBatch(partition, records, bytes, flaw);
    }

    private void Spoil(byte[] bytes, BatchFlaw flaw)
    {
        switch (flaw)
        {
            case BatchFlaw.Checksum:
                bytes[random.Next(RecordBatchHeader.Size, bytes.Length)] ^= 1;
                break;
            case BatchFlaw.Malformed:
                RecordBatchHeader.TryRead(bytes, out var header);
                header = header with { RecordCount = header.RecordCount + 1, LastOffsetDelta = header.LastOffsetDelta + 1 };
                header.Write(bytes);
                (header with { Crc = RecordBatchPatch.ComputeCrc(bytes) }).Write(bytes);
                break;
        }
    }

    private CompressionCodec Codec() =>
        random.Chance(0.6) ? CompressionCodec.None
            : random.Pick(Codecs) is var codec && (zstd || codec != CompressionCodec.Zstd) ? codec
            : CompressionCodec.None;
}
