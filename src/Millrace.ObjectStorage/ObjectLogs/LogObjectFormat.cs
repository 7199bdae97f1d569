using System.Buffers;
using System.Buffers.Binary;
using Millrace.Runtime.Buffers;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>
/// An object under LOG/, version 1. Numbers are little-endian, ids in the byte order of their text.
/// <code>
///  0  4  "MLOG"
///  4  1  version, 1
///  5  1  kind: 1 entry, 2 seal
///  6  2  zero
///  8  8  term
/// 16  8  index
/// 24 16  put id: which write made this object
/// 40 16  after: put id of the seal that this term follows
/// 56  8  confirmed: highest acknowledged index of this term when the body was made, -1 for none; -1 in a seal
/// 64  8  length of the payload
/// 72  4  CRC-32C of the payload
/// 76  4  CRC-32C of the 76 bytes before
/// 80     payload
/// </code>
/// </summary>
internal static class LogObjectFormat
{
    public const int HeaderSize = 80;
    private const byte Version = 1;
    private const byte Entry = 1;
    private const byte Seal = 2;

    private static ReadOnlySpan<byte> Magic => "MLOG"u8;

    /// <summary>The header that stands before a payload.</summary>
    public static byte[] WriteHeader(bool isSeal, LogPlace place, Guid putId, Guid after, long confirmed, in ReadOnlySequence<byte> payload)
    {
        var header = new byte[HeaderSize];
        Magic.CopyTo(header);
        header[4] = Version;
        header[5] = isSeal ? Seal : Entry;
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), place.Term);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), place.Index);
        putId.TryWriteBytes(header.AsSpan(24), bigEndian: true, out _);
        after.TryWriteBytes(header.AsSpan(40), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(56), confirmed);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(64), payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(72), Crc32C.Of(payload));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(76), Crc32C.Of(header.AsSpan(0, 76)));
        return header;
    }

    /// <summary>Null if the bytes are not an intact object of a log, with its payload (<paramref name="whole"/>) or without.</summary>
    public static LogObject? Read(ReadOnlyMemory<byte> bytes, bool whole)
    {
        if (bytes.Length < HeaderSize)
        {
            return null;
        }

        var header = bytes.Span[..HeaderSize];
        var payload = whole ? bytes[HeaderSize..] : default;
        if (!header.StartsWith(Magic) || header[4] != Version || header[5] is not (Entry or Seal) ||
            BinaryPrimitives.ReadUInt32LittleEndian(header[76..]) != Crc32C.Of(header[..76]))
        {
            return null;
        }

        if (whole && (BinaryPrimitives.ReadInt64LittleEndian(header[64..]) != payload.Length ||
            BinaryPrimitives.ReadUInt32LittleEndian(header[72..]) != Crc32C.Of(payload.Span)))
        {
            return null;
        }

        return new LogObject(
            IsSeal: header[5] == Seal,
            new LogPlace(BinaryPrimitives.ReadInt64LittleEndian(header[8..]), BinaryPrimitives.ReadInt64LittleEndian(header[16..])),
            PutId: new Guid(header[24..40], bigEndian: true),
            After: new Guid(header[40..56], bigEndian: true),
            Confirmed: BinaryPrimitives.ReadInt64LittleEndian(header[56..]),
            Length: BinaryPrimitives.ReadInt64LittleEndian(header[64..]),
            payload);
    }
}
