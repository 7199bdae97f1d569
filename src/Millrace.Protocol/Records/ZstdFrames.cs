using System.Buffers.Binary;

namespace Millrace.Protocol.Records;

/// <summary>
/// Looks at the outside of zstd frames (RFC 8878) before they are decompressed: what stands inside is the decoder's to judge.
/// Several frames may follow each other, and skippable ones stand among them, as in Kafka.
/// </summary>
internal static class ZstdFrames
{
    private const uint Magic = 0xFD2FB528;
    private const uint SkippableMagic = 0x184D2A50;

    // Java's decoder streams, and takes no more memory for what a frame refers back to.
    private const ulong LargestWindow = (1ul << 27) + 1;
    private const int BlockHeaderSize = 3;
    private const int ChecksumSize = 4;

    /// <summary>The bytes are frames and nothing else, and Java's decoder takes their windows.</summary>
    public static bool AreSound(ReadOnlySpan<byte> bytes)
    {
        do
        {
            if (IsSkippable(bytes))
            {
                if (!TrySkipSkippable(ref bytes))
                {
                    return false;
                }
            }
            else if (!TrySkipHeader(ref bytes, out var hasChecksum) || !TrySkipBlocks(ref bytes) || (hasChecksum && !TrySkip(ref bytes, ChecksumSize)))
            {
                return false;
            }
        }
        while (!bytes.IsEmpty);
        return true;
    }

    private static bool IsSkippable(ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.TryReadUInt32LittleEndian(bytes, out var magic) && (magic & ~0x0Fu) == SkippableMagic;

    private static bool TrySkipSkippable(ref ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.TryReadUInt32LittleEndian(bytes[sizeof(uint)..], out var size)
        && size <= int.MaxValue - (2 * sizeof(uint))
        && TrySkip(ref bytes, (int)size + (2 * sizeof(uint)));

    private static bool TrySkipHeader(ref ReadOnlySpan<byte> bytes, out bool hasChecksum)
    {
        hasChecksum = false;
        if (bytes.Length < sizeof(uint) + 1 || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic)
        {
            return false;
        }

        int descriptor = bytes[sizeof(uint)];
        bytes = bytes[(sizeof(uint) + 1)..];
        hasChecksum = (descriptor & 0x04) != 0;
        var isSingleSegment = (descriptor & 0x20) != 0;
        var dictionaryIdSize = (descriptor & 0x03) switch { 3 => 4, var size => size };
        var contentSizeSize = (descriptor >> 6) switch { 0 => isSingleSegment ? 1 : 0, var code => 1 << code };
        var window = 0ul;
        if (!isSingleSegment)
        {
            if (bytes.IsEmpty)
            {
                return false;
            }

            var size = 1ul << (10 + (bytes[0] >> 3));
            window = size + (size / 8 * (ulong)(bytes[0] & 7));
            bytes = bytes[1..];
        }

        if (!TrySkip(ref bytes, dictionaryIdSize) || bytes.Length < contentSizeSize)
        {
            return false;
        }

        if (isSingleSegment)
        {
            window = ContentSize(bytes[..contentSizeSize]);
        }

        bytes = bytes[contentSizeSize..];
        return window <= LargestWindow;
    }

    private static ulong ContentSize(ReadOnlySpan<byte> field) => field.Length switch
    {
        1 => field[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(field) + 256u,
        4 => BinaryPrimitives.ReadUInt32LittleEndian(field),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(field),
    };

    private static bool TrySkipBlocks(ref ReadOnlySpan<byte> bytes)
    {
        const int repeatedByte = 1;
        while (bytes.Length >= BlockHeaderSize)
        {
            var header = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
            bytes = bytes[BlockHeaderSize..];
            var type = (header >> 1) & 3;
            if (!TrySkip(ref bytes, type == repeatedByte ? 1 : header >> 3))
            {
                return false;
            }

            if ((header & 1) != 0)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> bytes, int size)
    {
        if (bytes.Length < size)
        {
            return false;
        }

        bytes = bytes[size..];
        return true;
    }
}
