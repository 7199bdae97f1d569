using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Millrace.Protocol.Records;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Broker.Partitions.Intake;

/// <summary>Stores a batch's records under another codec, where a topic demands one. The only way a batch is ever rewritten.</summary>
internal static class BatchRecompression
{
    private const int CodecBits = 0x07;

    /// <param name="batch">A batch that was found to be in order.</param>
    /// <param name="header">Its header.</param>
    /// <param name="codec">The codec of the result.</param>
    /// <param name="level">Its level; null for a codec that has none.</param>
    /// <param name="buffers">Gives the result its memory.</param>
    /// <param name="recompressed">The new batch and nothing else, held once.</param>
    /// <returns>False if the memory for it could not be had.</returns>
    public static bool TryRecompress(
        ReadOnlyMemory<byte> batch,
        in RecordBatchHeader header,
        CompressionCodec codec,
        int? level,
        BufferPool buffers,
        [NotNullWhen(true)] out PooledBuffer? recompressed)
    {
        recompressed = null;
        try
        {
            var records = batch[RecordBatchHeader.Size..];
            if (header.Codec == CompressionCodec.None)
            {
                recompressed = Compress(records.Span, header, codec, level, buffers);
                return true;
            }

            var outcome = RecordCompression.Decompress(header.Codec, records, Array.MaxLength, out var decompressed);
            if (outcome == DecompressionOutcome.OutOfMemory)
            {
                return false;
            }

            Invariant.Check(outcome == DecompressionOutcome.Done);
            using (decompressed)
            {
                recompressed = Compress(decompressed!.Span, header, codec, level, buffers);
                return true;
            }
        }
        catch (OutOfMemoryException)
        {
            return false;
        }
    }

    private static PooledBuffer Compress(ReadOnlySpan<byte> records, in RecordBatchHeader header, CompressionCodec codec, int? level, BufferPool buffers)
    {
        if (codec == CompressionCodec.None)
        {
            return Assemble(records, header, codec, buffers);
        }

        var compressed = new ArrayBufferWriter<byte>(Math.Max(256, records.Length / 2));
        RecordCompression.Compress(codec, level, records, compressed);
        return Assemble(compressed.WrittenSpan, header, codec, buffers);
    }

    private static PooledBuffer Assemble(ReadOnlySpan<byte> records, in RecordBatchHeader header, CompressionCodec codec, BufferPool buffers)
    {
        var buffer = buffers.Rent(RecordBatchHeader.Size + records.Length);
        var batch = buffer.GetSpan();
        records.CopyTo(batch[RecordBatchHeader.Size..]);
        var changed = header with
        {
            Length = batch.Length - RecordBatchHeader.LengthOverhead,
            Attributes = (short)((header.Attributes & ~CodecBits) | (int)codec),
        };
        changed.Write(batch);
        (changed with { Crc = RecordBatchPatch.ComputeCrc(batch) }).Write(batch);
        return buffer;
    }
}
