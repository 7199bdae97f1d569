namespace Millrace.Protocol.Generator.Schema;

/// <summary>A structure inside a message, declared where it is used or ahead of its users.</summary>
internal sealed class StructSchema(string name, IReadOnlyList<FieldSchema> fields)
{
    public string Name { get; } = name;

    public IReadOnlyList<FieldSchema> Fields { get; } = fields;
}
