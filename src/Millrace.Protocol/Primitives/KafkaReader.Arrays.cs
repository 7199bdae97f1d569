using System.Buffers.Binary;

namespace Millrace.Protocol.Primitives;

public ref partial struct KafkaReader
{
    // Room made for structures on the word of a count; more is made as they turn up.
    private const int TrustedCapacity = 64;

    public IReadOnlyList<T> ReadArray<T>(short version, bool flexible, int minimumElementSize)
        where T : class, IMessageStruct<T> =>
        ReadNullableArray<T>(version, flexible, minimumElementSize) ?? throw Null("array");

    /// <param name="version">The message's version.</param>
    /// <param name="flexible">The count is compact.</param>
    /// <param name="minimumElementSize">The fewest bytes that an element takes: bounds the count.</param>
    public IReadOnlyList<T>? ReadNullableArray<T>(short version, bool flexible, int minimumElementSize)
        where T : class, IMessageStruct<T>
    {
        var count = ReadCount(flexible, minimumElementSize);
        if (count <= 0)
        {
            return count < 0 ? null : [];
        }

        CountElements(count);
        var items = new T[Math.Min(count, TrustedCapacity)];
        for (var i = 0; i < count; i++)
        {
            if (i == items.Length)
            {
                Array.Resize(ref items, (int)Math.Min(count, 2L * i));
            }

            items[i] = T.Read(ref this, version);
        }

        return items;
    }

    public IReadOnlyList<string> ReadStringArray(bool flexible) => ReadNullableStringArray(flexible) ?? throw Null("array");

    public IReadOnlyList<string>? ReadNullableStringArray(bool flexible)
    {
        var count = ReadCount(flexible, flexible ? 1 : 2);
        if (count <= 0)
        {
            return count < 0 ? null : [];
        }

        CountElements(count);
        var items = new string[Math.Min(count, TrustedCapacity)];
        for (var i = 0; i < count; i++)
        {
            if (i == items.Length)
            {
                Array.Resize(ref items, (int)Math.Min(count, 2L * i));
            }

            items[i] = ReadString(flexible);
        }

        return items;
    }

    public IReadOnlyList<ReadOnlyMemory<byte>> ReadBytesArray(bool flexible) => ReadNullableBytesArray(flexible) ?? throw Null("array");

    public IReadOnlyList<ReadOnlyMemory<byte>>? ReadNullableBytesArray(bool flexible)
    {
        var count = ReadCount(flexible, flexible ? 1 : 4);
        if (count <= 0)
        {
            return count < 0 ? null : [];
        }

        CountElements(count);
        var items = new ReadOnlyMemory<byte>[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = ReadBytes(flexible);
        }

        return items;
    }

    public IReadOnlyList<sbyte> ReadInt8Array(bool flexible) => ReadNullableInt8Array(flexible) ?? throw Null("array");

    public IReadOnlyList<sbyte>? ReadNullableInt8Array(bool flexible)
    {
        var count = ReadCount(flexible, sizeof(sbyte));
        if (count <= 0)
        {
            return count < 0 ? null : [];
        }

        var bytes = Take(count);
        var items = new sbyte[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = (sbyte)bytes[i];
        }

        return items;
    }

    public IReadOnlyList<short> ReadInt16Array(bool flexible) => ReadNullableInt16Array(flexible) ?? throw Null("array");

    public IReadOnlyList<short>? ReadNullableInt16Array(bool flexible)
    {
        var count = ReadCount(flexible, sizeof(short));
        if (count <= 0)
        {
            return count < 0 ? null : [];
        }

        var bytes = Take(count * sizeof(short));
        var items = new short[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = BinaryPrimitives.ReadInt16BigEndian(bytes[(i * sizeof(short))..]);
        }

        return items;
    }

    public IReadOnlyList<int> ReadInt32Array(bool flexible) => ReadNullableInt32Array(flexible) ?? throw Null("array");

    public IReadOnlyList<int>? ReadNullableInt32Array(bool flexible)
    {
        var count = ReadCount(flexible, sizeof(int));
        if (count <= 0)
        {
            return count < 0 ? null : [];
        }

        var bytes = Take(count * sizeof(int));
        var items = new int[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = BinaryPrimitives.ReadInt32BigEndian(bytes[(i * sizeof(int))..]);
        }

        return items;
    }

    public IReadOnlyList<long> ReadInt64Array(bool flexible) => ReadNullableInt64Array(flexible) ?? throw Null("array");

    public IReadOnlyList<long>? ReadNullableInt64Array(bool flexible)
    {
        var count = ReadCount(flexible, sizeof(long));
        if (count <= 0)
        {
            return count < 0 ? null : [];
        }

        var bytes = Take(count * sizeof(long));
        var items = new long[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = BinaryPrimitives.ReadInt64BigEndian(bytes[(i * sizeof(long))..]);
        }

        return items;
    }

    public IReadOnlyList<Guid> ReadUuidArray(bool flexible) => ReadNullableUuidArray(flexible) ?? throw Null("array");

    public IReadOnlyList<Guid>? ReadNullableUuidArray(bool flexible)
    {
        const int Size = 16;
        var count = ReadCount(flexible, Size);
        if (count <= 0)
        {
            return count < 0 ? null : [];
        }

        var bytes = Take(count * Size);
        var items = new Guid[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = new Guid(bytes.Slice(i * Size, Size), bigEndian: true);
        }

        return items;
    }

    /// <summary>An array's count, -1 for null; no more than the remaining bytes can hold.</summary>
    private int ReadCount(bool flexible, int minimumElementSize)
    {
        var count = flexible ? ReadCompactLength() : ReadInt32();
        if (!IsNull(count) && count > Remaining / minimumElementSize)
        {
            ProtocolException.Throw($"An array of {count} elements does not fit into {Remaining} bytes");
        }

        return count;
    }
}
