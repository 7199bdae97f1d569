using System.Buffers.Binary;
using Millrace.Runtime.Buffers;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>
/// An object under TRIM/, version 1: its key says everything; the body is for people and for verification. Little-endian.
/// <code>
///  0  4  "MTRM"
///  4  1  version, 1
///  5  3  zero
///  8  8  term of the boundary
/// 16  8  index of the boundary
/// 24 16  put id
/// 40  4  CRC-32C of the 40 bytes before
/// </code>
/// </summary>
internal static class LogMarkerFormat
{
    public const int Size = 44;
    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "MTRM"u8;

    public static byte[] Write(LogPlace boundary, Guid putId)
    {
        var bytes = new byte[Size];
        Magic.CopyTo(bytes);
        bytes[4] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), boundary.Term);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), boundary.Index);
        putId.TryWriteBytes(bytes.AsSpan(24), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(40), Crc32C.Of(bytes.AsSpan(0, 40)));
        return bytes;
    }

    /// <summary>The boundary, or null if the bytes are not an intact marker.</summary>
    public static LogPlace? Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Size && bytes.StartsWith(Magic) && bytes[4] == Version &&
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]) == Crc32C.Of(bytes[..40])
            ? new LogPlace(BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]), BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]))
            : null;
}
