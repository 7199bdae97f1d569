using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Millrace.Protocol.Primitives;

/// <summary>
/// Reads Kafka's primitive types from one contiguous frame. Bytes and records are returned as slices of the frame:
/// they live as long as the frame's buffer does, and whoever keeps them longer copies them.
/// </summary>
/// <remarks>
/// Every malformed input ends in a <see cref="ProtocolException"/>, and none makes the reader allocate much more than
/// the frame holds: a length is believed only as far as the remaining bytes can bear it out, and the structures of one
/// frame are limited in number. Not thread-safe; passed by reference.
/// </remarks>
public ref partial struct KafkaReader
{
    /// <summary>
    /// How many structures, strings and tagged fields a frame may hold if the caller does not say. An object costs some
    /// fifty bytes and may stand for two on the wire; the limit keeps a frame of 100 MB from becoming gigabytes.
    /// </summary>
    public const int DefaultMaxElements = 1 << 20;

    private readonly ReadOnlyMemory<byte> _frame;
    private readonly ReadOnlySpan<byte> _span;
    private int _position;
    private int _end;
    private int _elementsLeft;

    /// <param name="frame">The bytes to read.</param>
    /// <param name="maxElements">How many array elements other than numbers, and tagged fields, to accept.</param>
    public KafkaReader(ReadOnlyMemory<byte> frame, int maxElements = DefaultMaxElements)
    {
        _frame = frame;
        _span = frame.Span;
        _end = _span.Length;
        _elementsLeft = maxElements;
    }

    /// <summary>Bytes left to read.</summary>
    public readonly int Remaining => _end - _position;

    public bool ReadBool() => Take(1)[0] != 0;

    public sbyte ReadInt8() => (sbyte)Take(1)[0];

    public short ReadInt16() => BinaryPrimitives.ReadInt16BigEndian(Take(2));

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(Take(4));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64BigEndian(Take(8));

    public double ReadFloat64() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    public Guid ReadUuid() => new(Take(16), bigEndian: true);

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public uint ReadUnsignedVarint()
    {
        uint value = 0;
        for (var shift = 0; shift < 35; shift += 7)
        {
            var next = Take(1)[0];
            // The fifth byte has room for the highest four bits only.
            if (shift == 28 && next > 0x0f)
            {
                break;
            }

            value |= (uint)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        ProtocolException.Throw("A varint is longer than 32 bits");
        return 0;
    }

    /// <inheritdoc cref="ReadUnsignedVarint"/>
    public ulong ReadUnsignedVarlong()
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            var next = Take(1)[0];
            // The tenth byte has room for the highest bit only.
            if (shift == 63 && next > 1)
            {
                break;
            }

            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        ProtocolException.Throw("A varint is longer than 64 bits");
        return 0;
    }

    /// <summary>A signed number as <see cref="KafkaWriter.WriteVarlong"/> writes it.</summary>
    public long ReadVarlong()
    {
        var stored = ReadUnsignedVarlong();
        return (long)(stored >> 1) ^ -(long)(stored & 1);
    }

    public string ReadString(bool flexible) => ReadNullableString(flexible) ?? throw Null("string");

    public string? ReadNullableString(bool flexible)
    {
        var length = flexible ? ReadCompactLength() : ReadInt16();
        // Like Kafka's own decoder, bytes that are no UTF-8 become replacement characters.
        return IsNull(length) ? null : Encoding.UTF8.GetString(Take(length));
    }

    public ReadOnlyMemory<byte> ReadBytes(bool flexible) => ReadNullableBytes(flexible) ?? throw Null("bytes");

    public ReadOnlyMemory<byte>? ReadNullableBytes(bool flexible)
    {
        var length = flexible ? ReadCompactLength() : ReadInt32();
        // Not a conditional expression over null: null would become empty memory, by way of a null array.
        if (IsNull(length))
        {
            return null;
        }

        return TakeMemory(length);
    }

    public ReadOnlySequence<byte>? ReadRecords(bool flexible) => ReadNullableRecords(flexible) ?? throw Null("records");

    public ReadOnlySequence<byte>? ReadNullableRecords(bool flexible) =>
        ReadNullableBytes(flexible) is { } bytes ? new ReadOnlySequence<byte>(bytes) : null;

    /// <summary>A structure behind the byte that says whether there is one.</summary>
    public T? ReadNullableStruct<T>(short version)
        where T : class, IMessageStruct<T>
    {
        switch (ReadInt8())
        {
            case -1:
                return null;
            case 1:
                return T.Read(ref this, version);
            default:
                throw new ProtocolException("A nullable structure begins neither with -1 nor with 1");
        }
    }

    /// <summary>As many of the next bytes, as a slice of the frame.</summary>
    public ReadOnlyMemory<byte> ReadRaw(int length)
    {
        if (length < 0)
        {
            ProtocolException.Throw("A length is negative");
        }

        return TakeMemory(length);
    }

    /// <summary>Refuses bytes behind the end of what was read.</summary>
    public readonly void ExpectEnd()
    {
        if (_position != _end)
        {
            ProtocolException.Throw($"{Remaining} bytes follow the end of the message");
        }
    }

    /// <summary>The length of a compact value, -1 for null.</summary>
    private int ReadCompactLength()
    {
        var stored = ReadUnsignedVarint();
        if (stored > int.MaxValue)
        {
            ProtocolException.Throw("A compact length exceeds 31 bits");
        }

        return (int)stored - 1;
    }

    private static bool IsNull(int length)
    {
        if (length < -1)
        {
            ProtocolException.Throw($"A length is {length}");
        }

        return length == -1;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _end - _position)
        {
            ProtocolException.Throw($"{length} bytes are wanted, and {_end - _position} are left");
        }

        var taken = _span.Slice(_position, length);
        _position += length;
        return taken;
    }

    private ReadOnlyMemory<byte> TakeMemory(int length)
    {
        if (length > _end - _position)
        {
            ProtocolException.Throw($"{length} bytes are wanted, and {_end - _position} are left");
        }

        var taken = _frame.Slice(_position, length);
        _position += length;
        return taken;
    }

    private void CountElements(int count)
    {
        if (count > _elementsLeft)
        {
            ProtocolException.Throw("The frame holds too many elements");
        }

        _elementsLeft -= count;
    }

    private static ProtocolException Null(string type) => new($"A {type} that cannot be null is null");
}
