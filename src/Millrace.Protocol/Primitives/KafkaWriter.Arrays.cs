namespace Millrace.Protocol.Primitives;

public ref partial struct KafkaWriter
{
    public void WriteArray<T>(IReadOnlyList<T>? items, short version, bool flexible)
        where T : class, IMessageStruct<T> =>
        WriteNullableArray(items ?? throw Null("array"), version, flexible);

    public void WriteNullableArray<T>(IReadOnlyList<T>? items, short version, bool flexible)
        where T : class, IMessageStruct<T>
    {
        var count = WriteCount(items, flexible);
        for (var i = 0; i < count; i++)
        {
            items![i].Write(ref this, version);
        }
    }

    public void WriteStringArray(IReadOnlyList<string>? items, bool flexible) => WriteNullableStringArray(items ?? throw Null("array"), flexible);

    public void WriteNullableStringArray(IReadOnlyList<string>? items, bool flexible)
    {
        var count = WriteCount(items, flexible);
        for (var i = 0; i < count; i++)
        {
            WriteString(items![i], flexible);
        }
    }

    public void WriteBytesArray(IReadOnlyList<ReadOnlyMemory<byte>>? items, bool flexible) => WriteNullableBytesArray(items ?? throw Null("array"), flexible);

    public void WriteNullableBytesArray(IReadOnlyList<ReadOnlyMemory<byte>>? items, bool flexible)
    {
        var count = WriteCount(items, flexible);
        for (var i = 0; i < count; i++)
        {
            WriteBytes(items![i], flexible);
        }
    }

    public void WriteInt8Array(IReadOnlyList<sbyte>? items, bool flexible) => WriteNullableInt8Array(items ?? throw Null("array"), flexible);

    public void WriteNullableInt8Array(IReadOnlyList<sbyte>? items, bool flexible)
    {
        var count = WriteCount(items, flexible);
        for (var i = 0; i < count; i++)
        {
            WriteInt8(items![i]);
        }
    }

    public void WriteInt16Array(IReadOnlyList<short>? items, bool flexible) => WriteNullableInt16Array(items ?? throw Null("array"), flexible);

    public void WriteNullableInt16Array(IReadOnlyList<short>? items, bool flexible)
    {
        var count = WriteCount(items, flexible);
        for (var i = 0; i < count; i++)
        {
            WriteInt16(items![i]);
        }
    }

    public void WriteInt32Array(IReadOnlyList<int>? items, bool flexible) => WriteNullableInt32Array(items ?? throw Null("array"), flexible);

    public void WriteNullableInt32Array(IReadOnlyList<int>? items, bool flexible)
    {
        var count = WriteCount(items, flexible);
        for (var i = 0; i < count; i++)
        {
            WriteInt32(items![i]);
        }
    }

    public void WriteInt64Array(IReadOnlyList<long>? items, bool flexible) => WriteNullableInt64Array(items ?? throw Null("array"), flexible);

    public void WriteNullableInt64Array(IReadOnlyList<long>? items, bool flexible)
    {
        var count = WriteCount(items, flexible);
        for (var i = 0; i < count; i++)
        {
            WriteInt64(items![i]);
        }
    }

    public void WriteUuidArray(IReadOnlyList<Guid>? items, bool flexible) => WriteNullableUuidArray(items ?? throw Null("array"), flexible);

    public void WriteNullableUuidArray(IReadOnlyList<Guid>? items, bool flexible)
    {
        var count = WriteCount(items, flexible);
        for (var i = 0; i < count; i++)
        {
            WriteUuid(items![i]);
        }
    }

    public void WriteTaggedFields(IReadOnlyList<TaggedField> fields)
    {
        if (fields.Count == 0)
        {
            WriteUnsignedVarint(0);
            return;
        }

        new TaggedFieldsWriter(fields).WriteTo(ref this);
    }

    /// <summary>Writes the length of an array and returns how many elements follow: none for null.</summary>
    private int WriteCount<T>(IReadOnlyList<T>? items, bool flexible)
    {
        WriteLength(items?.Count ?? -1, flexible);
        return items?.Count ?? 0;
    }
}
