using System.Runtime.CompilerServices;

namespace Millrace.Protocol.Records;

/// <summary>
/// Walks over the uncompressed records of one batch without allocating. A record is
/// <c>varint length, int8 attributes, varlong timestamp delta, varint offset delta, key, value, varint header count,
/// headers</c>, where key, value and a header's value have a varint length that is -1 for null; all varints are zigzag.
/// </summary>
public ref struct RecordReader(ReadOnlySpan<byte> records)
{
    // attributes, timestamp delta, offset delta, key length, value length, header count
    private const int SmallestRecord = 6;

    private readonly ReadOnlySpan<byte> _records = records;
    private int _position;

    public readonly bool AtEnd => _position == _records.Length;

    /// <summary>The bytes read so far.</summary>
    public readonly int Position => _position;

    /// <summary>Reads the next record; false when the bytes there are no record. Its headers are checked, too.</summary>
    public bool TryRead(out RecordView record)
    {
        record = default;
        var position = _position;
        if (!TryReadVarint(_records, ref position, out var length) || length < SmallestRecord || length > _records.Length - position)
        {
            return false;
        }

        var body = _records.Slice(position, length);
        var at = 1;
        if (!TryReadVarlong(body, ref at, out var timestampDelta) || !TryReadVarint(body, ref at, out var offsetDelta)
            || !TryReadSlice(body, ref at, out var keyAt, out var keyLength) || !TryReadSlice(body, ref at, out var valueAt, out var valueLength)
            || !TryReadVarint(body, ref at, out var headerCount))
        {
            return false;
        }

        var headersAt = at;
        // A header takes two bytes at least: a negative or absurd count is none.
        if ((uint)headerCount > (uint)(length - at) / 2 || !TrySkipHeaders(body, ref at, headerCount) || at != length)
        {
            return false;
        }

        record = new RecordView(body, timestampDelta, offsetDelta, (keyAt, keyLength), (valueAt, valueLength), headersAt, headerCount);
        _position = position + length;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryReadVarint(ReadOnlySpan<byte> bytes, ref int position, out int value)
    {
        if ((uint)position < (uint)bytes.Length && bytes[position] < 0x80)
        {
            var stored = bytes[position++];
            value = (stored >> 1) ^ -(stored & 1);
            return true;
        }

        return TryReadLongVarint(bytes, ref position, out value);
    }

    internal static bool TryReadVarlong(ReadOnlySpan<byte> bytes, ref int position, out long value)
    {
        ulong stored = 0;
        for (var shift = 0; shift < 70 && (uint)position < (uint)bytes.Length; shift += 7)
        {
            var next = bytes[position++];
            // The tenth byte has room for the highest bit only.
            if (shift == 63 && next > 1)
            {
                break;
            }

            stored |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                value = (long)(stored >> 1) ^ -(long)(stored & 1);
                return true;
            }
        }

        value = 0;
        return false;
    }

    /// <summary>A length and as many bytes; length -1 and no bytes for null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryReadSlice(ReadOnlySpan<byte> bytes, ref int position, out int start, out int length)
    {
        if (!TryReadVarint(bytes, ref position, out length) || length < -1 || length > bytes.Length - position)
        {
            start = 0;
            return false;
        }

        start = position;
        position += Math.Max(length, 0);
        return true;
    }

    private static bool TrySkipHeaders(ReadOnlySpan<byte> body, ref int position, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (!TryReadSlice(body, ref position, out _, out var keyLength) || keyLength < 0
                || !TryReadSlice(body, ref position, out _, out _))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryReadLongVarint(ReadOnlySpan<byte> bytes, ref int position, out int value)
    {
        uint stored = 0;
        for (var shift = 0; shift < 35 && (uint)position < (uint)bytes.Length; shift += 7)
        {
            var next = bytes[position++];
            if (shift == 28 && next > 0x0f)
            {
                break;
            }

            stored |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                value = (int)(stored >> 1) ^ -(int)(stored & 1);
                return true;
            }
        }

        value = 0;
        return false;
    }
}
