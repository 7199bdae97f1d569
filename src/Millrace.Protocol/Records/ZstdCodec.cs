using System.Buffers;
using System.Collections.Concurrent;
using Millrace.Runtime;
using ZstdSharp;

namespace Millrace.Protocol.Records;

/// <summary>Zstandard frames.</summary>
internal static class ZstdCodec
{
    private const int UsualLevel = 3;
    private const int FirstRoom = 64 * 1024;
    private const int UsualRatio = 8;

    // A context is some 150 kB of tables: as many are kept as were ever in use at once.
    private static readonly ConcurrentBag<Decompressor> Decompressors = [];
    private static readonly ConcurrentBag<Compressor> Compressors = [];

    public static DecompressionOutcome Decompress(ReadOnlySpan<byte> compressed, DecompressedRecords output, int limit)
    {
        if (!ZstdFrames.AreSound(compressed))
        {
            return DecompressionOutcome.Malformed;
        }

        if (!Decompressors.TryTake(out var decompressor))
        {
            decompressor = new Decompressor();
        }

        try
        {
            // Straight into the output: no window is kept aside, so a frame that asks for a large one gets nothing. What
            // a frame says of its size is not believed at once either: room beyond the usual ratio is made in steps.
            var largest = (int)Math.Min((ulong)limit, Decompressor.GetDecompressedSize(compressed));
            var size = Math.Min(largest, Math.Max(FirstRoom, UsualRatio * (long)compressed.Length));
            int written;
            while (!decompressor.TryUnwrap(compressed, output.Reserve((int)size), out written))
            {
                if (size == largest)
                {
                    return DecompressionOutcome.TooLarge;
                }

                size = Math.Min(largest, size * UsualRatio);
            }

            output.Advance(written);
            return written == 0 ? DecompressionOutcome.Malformed : DecompressionOutcome.Done;
        }
        catch (Exception e) when (e is not (OutOfMemoryException or InvariantViolationException))
        {
            return DecompressionOutcome.Malformed;
        }
        finally
        {
            Decompressors.Add(decompressor);
        }
    }

    public static void Compress(int? level, ReadOnlySpan<byte> records, IBufferWriter<byte> output)
    {
        if (!Compressors.TryTake(out var compressor))
        {
            compressor = new Compressor(UsualLevel);
        }

        try
        {
            compressor.Level = level ?? UsualLevel;
            var room = output.GetSpan(Compressor.GetCompressBound(records.Length));
            output.Advance(compressor.Wrap(records, room));
        }
        finally
        {
            Compressors.Add(compressor);
        }
    }
}
