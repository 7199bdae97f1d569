using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Millrace.Protocol.Primitives;

/// <summary>
/// Writes Kafka's primitive types to a buffer writer. What was written is the output's after <see cref="Flush"/>.
/// A default writer has no output and only counts, which is how a frame's length is known before its first byte.
/// </summary>
/// <remarks>Not thread-safe; passed by reference.</remarks>
public ref partial struct KafkaWriter
{
    // What is asked of the output at least, so that small values do not come one by one.
    private const int MinimumSegment = 256;

    // What is asked of the output at most. Small enough to come from the shared pool of arrays.
    private const int MaximumSegment = 64 << 10;

    private readonly IBufferWriter<byte>? _output;
    private Span<byte> _span;
    private int _used;
    private long _flushed;

    public KafkaWriter(IBufferWriter<byte> output) => _output = output;

    /// <summary>Bytes written so far, flushed or not.</summary>
    public readonly long BytesWritten => _flushed + _used;

    public void WriteBool(bool value) => WriteInt8(value ? (sbyte)1 : (sbyte)0);

    public void WriteInt8(sbyte value)
    {
        if (Reserve(sizeof(sbyte)))
        {
            _span[_used] = (byte)value;
        }

        Advance(sizeof(sbyte));
    }

    public void WriteInt16(short value)
    {
        if (Reserve(sizeof(short)))
        {
            BinaryPrimitives.WriteInt16BigEndian(_span[_used..], value);
        }

        Advance(sizeof(short));
    }

    public void WriteUInt16(ushort value) => WriteInt16((short)value);

    public void WriteInt32(int value)
    {
        if (Reserve(sizeof(int)))
        {
            BinaryPrimitives.WriteInt32BigEndian(_span[_used..], value);
        }

        Advance(sizeof(int));
    }

    public void WriteUInt32(uint value) => WriteInt32((int)value);

    public void WriteInt64(long value)
    {
        if (Reserve(sizeof(long)))
        {
            BinaryPrimitives.WriteInt64BigEndian(_span[_used..], value);
        }

        Advance(sizeof(long));
    }

    public void WriteFloat64(double value) => WriteInt64(BitConverter.DoubleToInt64Bits(value));

    public void WriteUuid(Guid value)
    {
        const int Size = 16;
        if (Reserve(Size))
        {
            value.TryWriteBytes(_span[_used..], bigEndian: true, out _);
        }

        Advance(Size);
    }

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public void WriteUnsignedVarint(uint value)
    {
        while (value >= 0x80)
        {
            WriteInt8((sbyte)(value | 0x80));
            value >>= 7;
        }

        WriteInt8((sbyte)value);
    }

    /// <summary>The bytes that <see cref="WriteUnsignedVarint"/> takes.</summary>
    public static int SizeOfUnsignedVarint(uint value) => (BitOperations.Log2(value | 1) / 7) + 1;

    /// <summary>A signed number in as few bytes as its distance from zero needs: the records' own encoding.</summary>
    public void WriteVarint(int value) => WriteUnsignedVarint((uint)((value << 1) ^ (value >> 31)));

    /// <inheritdoc cref="WriteVarint"/>
    public void WriteVarlong(long value) => WriteUnsignedVarlong((ulong)((value << 1) ^ (value >> 63)));

    /// <inheritdoc cref="WriteUnsignedVarint"/>
    public void WriteUnsignedVarlong(ulong value)
    {
        while (value >= 0x80)
        {
            WriteInt8((sbyte)(value | 0x80));
            value >>= 7;
        }

        WriteInt8((sbyte)value);
    }

    /// <exception cref="ProtocolException">The string is null or too long.</exception>
    public void WriteString(string? value, bool flexible) => WriteNullableString(value ?? throw Null("string"), flexible);

    public void WriteNullableString(string? value, bool flexible)
    {
        var size = value is null ? -1 : Encoding.UTF8.GetByteCount(value);
        if (flexible)
        {
            WriteUnsignedVarint((uint)(size + 1));
        }
        else
        {
            WriteInt16(size <= short.MaxValue ? (short)size : throw new ProtocolException($"A string of {size} bytes is too long"));
        }

        if (size <= 0)
        {
            return;
        }

        if (Reserve(size))
        {
            Encoding.UTF8.GetBytes(value, _span[_used..]);
        }

        Advance(size);
    }

    public void WriteBytes(ReadOnlyMemory<byte>? value, bool flexible) => WriteNullableBytes(value ?? throw Null("bytes"), flexible);

    public void WriteNullableBytes(ReadOnlyMemory<byte>? value, bool flexible)
    {
        WriteLength(value?.Length ?? -1, flexible);
        if (value is { } bytes)
        {
            WriteRaw(bytes.Span);
        }
    }

    public void WriteRecords(ReadOnlySequence<byte>? value, bool flexible) => WriteNullableRecords(value ?? throw Null("records"), flexible);

    public void WriteNullableRecords(ReadOnlySequence<byte>? value, bool flexible)
    {
        if (value is not { } records)
        {
            WriteLength(-1, flexible);
            return;
        }

        WriteLength(checked((int)records.Length), flexible);
        foreach (var segment in records)
        {
            WriteRaw(segment.Span);
        }
    }

    /// <summary>A structure behind the byte that says whether there is one.</summary>
    public void WriteNullableStruct<T>(T? value, short version)
        where T : class, IMessageStruct<T>
    {
        WriteInt8(value is null ? (sbyte)-1 : (sbyte)1);
        value?.Write(ref this, version);
    }

    /// <summary>Bytes without a length before them.</summary>
    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        if (_output is null)
        {
            Advance(bytes.Length);
            return;
        }

        while (!bytes.IsEmpty)
        {
            if (_span.Length == _used)
            {
                // A large value asks for large pieces: a fetch's megabyte should not leave in hundreds of them.
                Reserve(Math.Min(bytes.Length, MaximumSegment));
            }

            var part = bytes[..Math.Min(bytes.Length, _span.Length - _used)];
            part.CopyTo(_span[_used..]);
            _used += part.Length;
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>Hands everything written so far to the output.</summary>
    public void Flush()
    {
        _output?.Advance(_used);
        _flushed += _used;
        _used = 0;
        _span = default;
    }

    /// <summary>A length or count, -1 for null.</summary>
    private void WriteLength(int length, bool flexible)
    {
        if (flexible)
        {
            WriteUnsignedVarint((uint)(length + 1));
        }
        else
        {
            WriteInt32(length);
        }
    }

    /// <summary>Makes room for so many bytes; false when there is nowhere to write, and counting is all there is to do.</summary>
    private bool Reserve(int size)
    {
        if (_output is null)
        {
            return false;
        }

        if (_span.Length - _used < size)
        {
            Flush();
            _span = _output.GetSpan(Math.Max(size, MinimumSegment));
        }

        return true;
    }

    private void Advance(int size)
    {
        // What is only counted can exceed what a span can hold.
        if (_output is null)
        {
            _flushed += size;
        }
        else
        {
            _used += size;
        }
    }

    private static ProtocolException Null(string type) => new($"A {type} that cannot be null is null");
}
