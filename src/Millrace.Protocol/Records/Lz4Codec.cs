using System.Buffers;
using K4os.Compression.LZ4.Streams;
using K4os.Compression.LZ4;
using Millrace.Runtime;

namespace Millrace.Protocol;

/// <summary>LZ4 in its frame format, version 1.</summary>
internal static class Lz4Codec
{
    private const int Chunk = 64 * 1024;

    // In Kafka the default level is the fast compressor, and every other one a level of the slow one.
    private const int FastLevel = 9;

    private static readonly LZ4EncoderSettings Fast = Settings(LZ4Level.L00_FAST);

    public static DecompressionOutcome Decompress(ReadOnlyMemory<byte> compressed, DecompressedRecords output)
    {
        try
        {
            using var frame = LZ4Frame.Decode(compressed);
            while (true)
            {
                var room = output.Reserve(Chunk);
                if (room.IsEmpty)
                {
                    return frame.ReadOneByte() < 0 ? DecompressionOutcome.Done : DecompressionOutcome.TooLarge;
                }

                var read = frame.ReadManyBytes(room);
                if (read <= 0)
                {
                    return output.Length == 0 ? DecompressionOutcome.Malformed : DecompressionOutcome.Done;
                }

                output.Advance(read);
            }
        }
        catch (Exception e) when (e is not (OutOfMemoryException or InvariantViolationException))
        {
            return DecompressionOutcome.Malformed;
        }
    }

    public static void Compress(int? level, ReadOnlySpan<byte> records, IBufferWriter<byte> output) =>
        LZ4Frame.Encode(
            records, output, level is null or FastLevel ? Fast : Settings((LZ4Level)Math.Clamp(level.Value, (int)LZ4Level.L03_HC, (int)LZ4Level.L12_MAX)));

    private static LZ4EncoderSettings Settings(LZ4Level level) => new()
    {
        // What Kafka's own clients write: they expect blocks that do not refer to each other.
        ChainBlocks = false,
        BlockSize = Chunk,
        CompressionLevel = level,
    };
}
