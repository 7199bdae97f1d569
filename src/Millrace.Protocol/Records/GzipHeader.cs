using System.Buffers.Binary;
using System.IO.Hashing;

namespace Millrace.Protocol.Records;

/// <summary>The head of a gzip member, RFC 1952: ten bytes, and what its flags announce.</summary>
internal static class GzipHeader
{
    private const int FixedSize = 10;
    private const int FlagsAt = 3;
    private const byte Deflate = 8;
    private const int ChecksumFlag = 0x02;
    private const int ExtraFlag = 0x04;
    private const int NameFlag = 0x08;
    private const int CommentFlag = 0x10;
    private const int ReservedFlags = 0xe0;

    private static ReadOnlySpan<byte> Magic => [0x1f, 0x8b, Deflate];

    /// <param name="bytes">Begin with the member.</param>
    /// <param name="size">The head's bytes.</param>
    public static bool TrySkip(ReadOnlySpan<byte> bytes, out int size)
    {
        size = FixedSize;
        if (bytes.Length < FixedSize || !bytes.StartsWith(Magic) || (bytes[FlagsAt] & ReservedFlags) != 0)
        {
            return false;
        }

        var flags = bytes[FlagsAt];
        return ((flags & ExtraFlag) == 0 || TrySkipExtra(bytes, ref size))
            && ((flags & NameFlag) == 0 || TrySkipText(bytes, ref size))
            && ((flags & CommentFlag) == 0 || TrySkipText(bytes, ref size))
            && ((flags & ChecksumFlag) == 0 || TrySkipChecksum(bytes, ref size));
    }

    private static bool TrySkipExtra(ReadOnlySpan<byte> bytes, ref int at)
    {
        if (!BinaryPrimitives.TryReadUInt16LittleEndian(bytes[at..], out var length) || length > bytes.Length - at - sizeof(ushort))
        {
            return false;
        }

        at += sizeof(ushort) + length;
        return true;
    }

    private static bool TrySkipText(ReadOnlySpan<byte> bytes, ref int at)
    {
        var length = bytes[at..].IndexOf((byte)0);
        at += length + 1;
        return length >= 0;
    }

    private static bool TrySkipChecksum(ReadOnlySpan<byte> bytes, ref int at)
    {
        if (!BinaryPrimitives.TryReadUInt16LittleEndian(bytes[at..], out var checksum) || checksum != (ushort)Crc32.HashToUInt32(bytes[..at]))
        {
            return false;
        }

        at += sizeof(ushort);
        return true;
    }
}
