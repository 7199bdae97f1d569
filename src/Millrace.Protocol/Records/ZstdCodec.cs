using System.Buffers;
using System.Collections.Concurrent;
using ZstdSharp;

namespace Millrace.Protocol;

/// <summary>Zstandard frames.</summary>
internal static class ZstdCodec
{
    private const int Level = 3;

    // A context is some 150 kB of tables: as many are kept as were ever in use at once.
    private static readonly ConcurrentBag<Decompressor> Decompressors = [];
    private static readonly ConcurrentBag<Compressor> Compressors = [];

    public static DecompressionOutcome Decompress(ReadOnlySpan<byte> compressed, DecompressedRecords output, int limit)
    {
        if (!Decompressors.TryTake(out var decompressor))
        {
            decompressor = new Decompressor();
        }

        try
        {
            // Straight into the output: no window is kept aside, so a frame that asks for a large one gets nothing. The
            // bound counts full blocks, and can be far above what comes out; it only decides how much room to try first.
            var bound = Decompressor.GetDecompressedSize(compressed);
            var room = output.Reserve((int)Math.Min((ulong)limit, bound));
            if (!decompressor.TryUnwrap(compressed, room, out var written))
            {
                return DecompressionOutcome.TooLarge;
            }

            output.Advance(written);
            return written == 0 ? DecompressionOutcome.Malformed : DecompressionOutcome.Done;
        }
        catch (ZstdException)
        {
            return DecompressionOutcome.Malformed;
        }
        finally
        {
            Decompressors.Add(decompressor);
        }
    }

    public static void Compress(ReadOnlySpan<byte> records, IBufferWriter<byte> output)
    {
        if (!Compressors.TryTake(out var compressor))
        {
            compressor = new Compressor(Level);
        }

        try
        {
            var room = output.GetSpan(Compressor.GetCompressBound(records.Length));
            output.Advance(compressor.Wrap(records, room));
        }
        finally
        {
            Compressors.Add(compressor);
        }
    }
}
