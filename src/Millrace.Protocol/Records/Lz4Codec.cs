using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using K4os.Compression.LZ4;
using K4os.Compression.LZ4.Streams;

namespace Millrace.Protocol.Records;

/// <summary>
/// LZ4 in its frame format, version 1. Exactly one frame, whose every checksum and size is right: Java's clients do not
/// look at the content's, and stop at the end mark; librdkafka looks, and refuses what follows.
/// </summary>
internal static class Lz4Codec
{
    private const int Chunk = 64 * 1024;
    private const uint EndMark = 0;
    private const uint StoredBit = 1u << 31;

    // In Kafka the default level is the fast compressor, and every other one a level of the slow one.
    private const int FastLevel = 9;

    private static readonly LZ4EncoderSettings Fast = Settings(LZ4Level.L00_FAST);

    // A byte of a block stands for 255 at most, in the length of a match.
    private const int LargestRatio = 255;

    public static DecompressionOutcome Decompress(ReadOnlySpan<byte> compressed, DecompressedRecords output)
    {
        if (!Lz4FrameHeader.TryRead(compressed, out var header, out var at))
        {
            return DecompressionOutcome.Malformed;
        }

        while (TryReadWord(compressed, ref at, out var word))
        {
            if (word == EndMark)
            {
                return EndsHere(compressed[at..], header, output.Span) ? DecompressionOutcome.Done : DecompressionOutcome.Malformed;
            }

            var size = word & ~StoredBit;
            if (size == 0 || size > header.BlockSize || size > compressed.Length - at)
            {
                return DecompressionOutcome.Malformed;
            }

            var block = compressed.Slice(at, (int)size);
            at += block.Length;
            if (header.HasBlockChecksums && (!TryReadWord(compressed, ref at, out var checksum) || checksum != XxHash32.HashToUInt32(block)))
            {
                return DecompressionOutcome.Malformed;
            }

            var outcome = (word & StoredBit) == 0 ? DecompressBlock(block, header.BlockSize, output) : CopyBlock(block, output);
            if (outcome != DecompressionOutcome.Done)
            {
                return outcome;
            }
        }

        return DecompressionOutcome.Malformed;
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

    /// <summary>What follows the end mark is the content's checksum, or nothing; and the content is what the header said.</summary>
    private static bool EndsHere(ReadOnlySpan<byte> rest, in Lz4FrameHeader header, ReadOnlySpan<byte> content)
    {
        var at = 0;
        return (!header.HasContentChecksum || (TryReadWord(rest, ref at, out var checksum) && checksum == XxHash32.HashToUInt32(content)))
            && at == rest.Length
            && (header.ContentSize ?? (ulong)content.Length) == (ulong)content.Length
            && content.Length > 0;
    }

    private static DecompressionOutcome DecompressBlock(ReadOnlySpan<byte> block, int blockSize, DecompressedRecords output)
    {
        var wanted = (int)Math.Min(blockSize, (long)LargestRatio * block.Length);
        var room = output.Reserve(wanted);
        var written = LZ4Codec.Decode(block, room[..Math.Min(wanted, room.Length)]);
        if (written <= 0)
        {
            // The decoder does not say whether the room or the block was at fault.
            return room.Length < wanted ? DecompressionOutcome.TooLarge : DecompressionOutcome.Malformed;
        }

        output.Advance(written);
        return DecompressionOutcome.Done;
    }

    private static DecompressionOutcome CopyBlock(ReadOnlySpan<byte> block, DecompressedRecords output)
    {
        if (!block.TryCopyTo(output.Reserve(block.Length)))
        {
            return DecompressionOutcome.TooLarge;
        }

        output.Advance(block.Length);
        return DecompressionOutcome.Done;
    }

    private static bool TryReadWord(ReadOnlySpan<byte> bytes, ref int at, out uint word)
    {
        if (!BinaryPrimitives.TryReadUInt32LittleEndian(bytes[at..], out word))
        {
            return false;
        }

        at += sizeof(uint);
        return true;
    }
}
