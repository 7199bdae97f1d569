namespace Millrace.Protocol.Primitives;

public ref partial struct KafkaReader
{
    /// <summary>How many tagged fields follow.</summary>
    public int ReadTaggedFieldCount()
    {
        var count = ReadUnsignedVarint();
        // Each takes a byte for its tag and one for its size.
        if (count > (uint)Remaining / 2)
        {
            ProtocolException.Throw($"{count} tagged fields do not fit into {Remaining} bytes");
        }

        CountElements((int)count);
        return (int)count;
    }

    /// <summary>Reads a tagged field's number and narrows the reader to its payload, until <see cref="EndTaggedField"/>.</summary>
    public TaggedFieldScope BeginTaggedField()
    {
        var tag = ReadUnsignedVarint();
        var size = ReadUnsignedVarint();
        if (size > (uint)Remaining)
        {
            ProtocolException.Throw($"A tagged field of {size} bytes does not fit into {Remaining} bytes");
        }

        var scope = new TaggedFieldScope(tag, _end);
        _end = _position + (int)size;
        return scope;
    }

    /// <summary>Widens the reader again; the payload must have been read to its end.</summary>
    public void EndTaggedField(TaggedFieldScope field)
    {
        ExpectEnd();
        _end = field.OuterEnd;
    }

    /// <summary>Takes the payload of a field that the schema does not know, and returns the list with it added.</summary>
    public IReadOnlyList<TaggedField> KeepTaggedField(TaggedFieldScope field, IReadOnlyList<TaggedField> kept)
    {
        var list = kept as List<TaggedField> ?? [.. kept];
        list.Add(new TaggedField(field.Tag, TakeMemory(Remaining)));
        return list;
    }

    /// <summary>A whole tag section of which the schema knows nothing.</summary>
    public IReadOnlyList<TaggedField> ReadUnknownTaggedFields()
    {
        IReadOnlyList<TaggedField> kept = [];
        for (var left = ReadTaggedFieldCount(); left > 0; left--)
        {
            var field = BeginTaggedField();
            kept = KeepTaggedField(field, kept);
            EndTaggedField(field);
        }

        return kept;
    }
}
