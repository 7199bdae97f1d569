using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>Neighbouring fields that stand on the wire under one condition.</summary>
internal sealed class FieldGroup(string condition)
{
    private readonly List<FieldSchema> _fields = [];

    public string Condition { get; } = condition;

    public IReadOnlyList<FieldSchema> Fields => _fields;

    /// <summary>The fields that stand in their place, in order, under the condition that they are there.</summary>
    public static IReadOnlyList<FieldGroup> InPlace(MessageContext context, IEnumerable<FieldSchema> fields) =>
        Group(fields.Select(field => (field, Emit.Condition.For(field.InPlace, context.Versions))));

    /// <summary>The tagged fields, under the condition that they do not exist yet.</summary>
    public static IReadOnlyList<FieldGroup> BeforeTags(MessageContext context, IEnumerable<FieldSchema> fields) =>
        Group(fields
            .Where(field => !field.Tagged.IsEmpty)
            .Select(field => (field, Emit.Condition.For(context.Versions.Below(field.Versions), context.Versions))));

    private static List<FieldGroup> Group(IEnumerable<(FieldSchema Field, string Condition)> fields)
    {
        var groups = new List<FieldGroup>();
        foreach (var (field, condition) in fields.Where(item => item.Condition != Emit.Condition.Never))
        {
            if (groups.Count == 0 || groups[groups.Count - 1].Condition != condition)
            {
                groups.Add(new FieldGroup(condition));
            }

            groups[groups.Count - 1]._fields.Add(field);
        }

        return groups;
    }
}
