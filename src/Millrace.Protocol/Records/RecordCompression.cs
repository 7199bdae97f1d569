using System.Buffers;

namespace Millrace.Protocol.Records;

/// <summary>The codecs of record batches, by what clients write and read. Safe for use from any thread.</summary>
public static class RecordCompression
{
    public static bool IsKnown(CompressionCodec codec) => codec <= CompressionCodec.Zstd;

    /// <summary>
    /// Decompresses the records of a batch. However small the input, never more than <paramref name="limit"/> bytes
    /// come out, and the room for them grows with what really comes out. Done means that the input is complete and
    /// exact: it begins, ends and is checked as every decoder in the field demands, and nothing follows it.
    /// </summary>
    /// <param name="codec">A known codec other than none.</param>
    /// <param name="compressed">What stands behind the batch's header.</param>
    /// <param name="limit">The most bytes to produce.</param>
    /// <param name="records">The result, which the caller disposes of; null unless done.</param>
    public static DecompressionOutcome Decompress(CompressionCodec codec, ReadOnlyMemory<byte> compressed, int limit, out DecompressedRecords? records) =>
        Decompress(codec, compressed, limit, ArrayPool<byte>.Shared, out records);

    /// <summary>As above, into memory of a pool.</summary>
    internal static DecompressionOutcome Decompress(
        CompressionCodec codec, ReadOnlyMemory<byte> compressed, int limit, ArrayPool<byte> arrays, out DecompressedRecords? records)
    {
        DecompressedRecords? output = null;
        var outcome = DecompressionOutcome.OutOfMemory;
        try
        {
            output = new DecompressedRecords(arrays, limit, expected: (int)Math.Min(int.MaxValue, 4L * compressed.Length));
            outcome = codec switch
            {
                CompressionCodec.Gzip => GzipCodec.Decompress(compressed, output),
                CompressionCodec.Snappy => SnappyCodec.Decompress(compressed.Span, output),
                CompressionCodec.Lz4 => Lz4Codec.Decompress(compressed.Span, output),
                CompressionCodec.Zstd => ZstdCodec.Decompress(compressed.Span, output, limit),
                CompressionCodec.None => throw new ArgumentOutOfRangeException(nameof(codec)),
            };
        }
        catch (OutOfMemoryException)
        {
            // Of the array, or of a decoder's tables: a peer's bytes decide how much is asked for, so it is an outcome.
        }
        finally
        {
            if (outcome != DecompressionOutcome.Done)
            {
                output?.Dispose();
                output = null;
            }
        }

        records = output;
        return outcome;
    }

    /// <param name="codec">A known codec other than none.</param>
    /// <param name="level">
    /// On the codec's own scale, as Kafka's topic configs name it (gzip -1 to 9, lz4 1 to 17, zstd to 22); null for a fast one. Snappy has none.
    /// </param>
    /// <param name="records">Records, one after the other.</param>
    /// <param name="output">Receives what stands behind a batch's header.</param>
    public static void Compress(CompressionCodec codec, int? level, ReadOnlySpan<byte> records, IBufferWriter<byte> output)
    {
        switch (codec)
        {
            case CompressionCodec.Gzip:
                GzipCodec.Compress(level, records, output);
                break;
            case CompressionCodec.Snappy:
                SnappyCodec.Compress(records, output);
                break;
            case CompressionCodec.Lz4:
                Lz4Codec.Compress(level, records, output);
                break;
            case CompressionCodec.Zstd:
                ZstdCodec.Compress(level, records, output);
                break;
            case CompressionCodec.None:
            default:
                throw new ArgumentOutOfRangeException(nameof(codec));
        }
    }
}
