using System.Buffers.Binary;
using System.IO.Hashing;

namespace Millrace.Protocol.Records;

/// <summary>
/// The head of an LZ4 frame: <c>uint32 magic, flags, block descriptor, [uint64 content size], checksum of the head</c>,
/// little-endian. Only what Kafka's own decoder takes is one: no legacy or skippable frame, no dictionary, and no block that
/// refers to another.
/// </summary>
internal readonly record struct Lz4FrameHeader(int BlockSize, bool HasBlockChecksums, bool HasContentChecksum, ulong? ContentSize)
{
    private const uint Magic = 0x184D2204;
    private const int DescriptorAt = 4;
    private const int ContentSizeAt = 6;

    // Version 1 and independent blocks; the two lowest bits are the dictionary's and a reserved one.
    private const int DemandedFlags = 0b0110_0000;
    private const int DemandedFlagsMask = 0b1110_0011;
    private const int BlockChecksumFlag = 0x10;
    private const int ContentSizeFlag = 0x08;
    private const int ContentChecksumFlag = 0x04;
    private const int ReservedDescriptorBits = 0b1000_1111;

    /// <param name="bytes">Begin with the frame.</param>
    /// <param name="header">What the head says.</param>
    /// <param name="size">Its bytes.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Lz4FrameHeader header, out int size)
    {
        header = default;
        size = 0;
        if (bytes.Length <= ContentSizeAt || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic)
        {
            return false;
        }

        int flags = bytes[DescriptorAt];
        int descriptor = bytes[DescriptorAt + 1];
        var blockSizeCode = descriptor >> 4;
        if ((flags & DemandedFlagsMask) != DemandedFlags || (descriptor & ReservedDescriptorBits) != 0 || blockSizeCode < 4)
        {
            return false;
        }

        var hasContentSize = (flags & ContentSizeFlag) != 0;
        var checksumAt = hasContentSize ? ContentSizeAt + sizeof(ulong) : ContentSizeAt;
        if (bytes.Length <= checksumAt || bytes[checksumAt] != (byte)(XxHash32.HashToUInt32(bytes[DescriptorAt..checksumAt]) >> 8))
        {
            return false;
        }

        size = checksumAt + 1;
        header = new Lz4FrameHeader(
            1 << (8 + (2 * blockSizeCode)),
            (flags & BlockChecksumFlag) != 0,
            (flags & ContentChecksumFlag) != 0,
            hasContentSize ? BinaryPrimitives.ReadUInt64LittleEndian(bytes[ContentSizeAt..]) : null);
        return true;
    }
}
