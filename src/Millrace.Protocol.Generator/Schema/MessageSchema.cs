namespace Millrace.Protocol.Generator.Schema;

/// <summary>One message: half of an API, or a record.</summary>
internal sealed class MessageSchema(MessageKind kind, string name)
{
    public MessageKind Kind { get; } = kind;

    /// <summary>The name of the generated class.</summary>
    public string Name { get; } = name;

    /// <summary>The API's key, the record's id or the coordinator record's key version; -1 where the kind has none.</summary>
    public short Number { get; set; } = -1;

    public Versions Versions { get; set; } = Versions.None;

    public Versions Flexible { get; set; } = Versions.None;

    /// <summary>The highest version is not to be offered to clients.</summary>
    public bool LatestUnstable { get; set; }

    public string? Documentation { get; set; }

    public IReadOnlyList<FieldSchema> Fields { get; set; } = [];

    /// <summary>The message's structures, in order of their declaration.</summary>
    public IReadOnlyList<StructSchema> Structs { get; set; } = [];

    public StructSchema StructOf(FieldSchema field) => Structs.First(candidate => candidate.Name == field.TypeName);
}
