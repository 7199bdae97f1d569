using System.Buffers;
using System.Buffers.Binary;
using Millrace.Runtime;
using Snappier;

namespace Millrace.Protocol.Records;

/// <summary>
/// Snappy in the framing of the xerial library, which Kafka took over: a magic, two version numbers, and blocks of
/// <c>int32 length, block</c>. Some clients send one bare block instead; it is told by the missing magic. Other
/// versions than 1 and streams behind each other are xerial's alone: other clients cannot read them.
/// </summary>
internal static class SnappyCodec
{
    private const int HeaderSize = 16;
    private const int VersionAt = 8;
    private const int CompatibleVersionAt = 12;
    private const int Version = 1;

    // What xerial's writer uses, and what readers allocate for.
    private const int BlockSize = 32 * 1024;

    private static ReadOnlySpan<byte> Magic => [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0];

    public static DecompressionOutcome Decompress(ReadOnlySpan<byte> compressed, DecompressedRecords output)
    {
        if (!compressed.StartsWith(Magic))
        {
            return DecompressBlock(compressed, output);
        }

        if (compressed.Length < HeaderSize
            || BinaryPrimitives.ReadInt32BigEndian(compressed[VersionAt..]) != Version
            || BinaryPrimitives.ReadInt32BigEndian(compressed[CompatibleVersionAt..]) != Version)
        {
            return DecompressionOutcome.Malformed;
        }

        var rest = compressed[HeaderSize..];
        while (!rest.IsEmpty)
        {
            if (rest.Length < sizeof(int))
            {
                return DecompressionOutcome.Malformed;
            }

            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            rest = rest[sizeof(int)..];
            if (length < 0 || length > rest.Length)
            {
                return DecompressionOutcome.Malformed;
            }

            var outcome = DecompressBlock(rest[..length], output);
            if (outcome != DecompressionOutcome.Done)
            {
                return outcome;
            }

            rest = rest[length..];
        }

        return DecompressionOutcome.Done;
    }

    public static void Compress(ReadOnlySpan<byte> records, IBufferWriter<byte> output)
    {
        var header = output.GetSpan(HeaderSize);
        Magic.CopyTo(header);
        BinaryPrimitives.WriteInt32BigEndian(header[VersionAt..], Version);
        BinaryPrimitives.WriteInt32BigEndian(header[CompatibleVersionAt..], Version);
        output.Advance(HeaderSize);
        while (!records.IsEmpty)
        {
            var block = records[..Math.Min(BlockSize, records.Length)];
            var room = output.GetSpan(sizeof(int) + Snappy.GetMaxCompressedLength(block.Length));
            var length = Snappy.Compress(block, room[sizeof(int)..]);
            BinaryPrimitives.WriteInt32BigEndian(room, length);
            output.Advance(sizeof(int) + length);
            records = records[block.Length..];
        }
    }

    private static DecompressionOutcome DecompressBlock(ReadOnlySpan<byte> block, DecompressedRecords output)
    {
        try
        {
            var length = Snappy.GetUncompressedLength(block);
            if (!SnappyBlock.HoldsExactly(block, length))
            {
                return DecompressionOutcome.Malformed;
            }

            // Snappy's densest element copies 64 bytes for three: a block that claims more lies, and gets no memory.
            if (length > 64L + (64L * block.Length / 3))
            {
                return DecompressionOutcome.Malformed;
            }

            var room = output.Reserve(length);
            if (room.Length < length)
            {
                return DecompressionOutcome.TooLarge;
            }

            if (!Snappy.TryDecompress(block, room[..length], out var written) || written != length)
            {
                return DecompressionOutcome.Malformed;
            }

            output.Advance(written);
            return DecompressionOutcome.Done;
        }
        catch (Exception e) when (e is not (OutOfMemoryException or InvariantViolationException))
        {
            return DecompressionOutcome.Malformed;
        }
    }
}
