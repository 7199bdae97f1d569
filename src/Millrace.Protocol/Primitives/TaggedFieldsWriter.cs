using System.Buffers;

namespace Millrace.Protocol.Primitives;

/// <summary>
/// Collects a tag section: the fields that a schema knows, one by one, and those it does not. They are written in
/// order of their tags. Costs nothing while the section is empty, which is the rule.
/// </summary>
public struct TaggedFieldsWriter(IReadOnlyList<TaggedField> unknown)
{
    private ArrayBufferWriter<byte>? _payloads;
    private List<(uint Tag, int Start, int Length)>? _known;
    private uint _tag;
    private int _start;

    /// <summary>A writer for the payload of a known field, until <see cref="End"/>.</summary>
    public KafkaWriter Begin(uint tag)
    {
        _payloads ??= new ArrayBufferWriter<byte>();
        _tag = tag;
        _start = _payloads.WrittenCount;
        return new KafkaWriter(_payloads);
    }

    public void End(ref KafkaWriter field)
    {
        field.Flush();
        _known ??= [];
        _known.Add((_tag, _start, _payloads!.WrittenCount - _start));
    }

    public readonly void WriteTo(ref KafkaWriter writer)
    {
        var known = _known?.Count ?? 0;
        writer.WriteUnsignedVarint((uint)(known + unknown.Count));
        if (known + unknown.Count == 0)
        {
            return;
        }

        var fields = new List<TaggedField>(known + unknown.Count);
        for (var i = 0; i < known; i++)
        {
            var (tag, start, length) = _known![i];
            fields.Add(new TaggedField(tag, _payloads!.WrittenMemory.Slice(start, length)));
        }

        fields.AddRange(unknown);
        foreach (var field in fields.OrderBy(field => field.Tag))
        {
            writer.WriteUnsignedVarint(field.Tag);
            writer.WriteUnsignedVarint((uint)field.Payload.Length);
            writer.WriteRaw(field.Payload.Span);
        }
    }
}
