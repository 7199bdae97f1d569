namespace Millrace.Protocol.Generator.Schema;

/// <summary>One line of a schema: a field of a message or of a structure in it.</summary>
internal sealed class FieldSchema(string name, FieldKind kind, string typeName, bool isArray, Versions declared)
{
    /// <summary>The name in PascalCase, whatever the schema's case.</summary>
    public string Name { get; } = char.ToUpperInvariant(name[0]) + name.Substring(1);

    public FieldKind Kind { get; } = kind;

    /// <summary>The type as the schema names it, without the array brackets.</summary>
    public string TypeName { get; } = typeName;

    public bool IsArray { get; } = isArray;

    /// <summary>The versions in which the field is on the wire. A tagged field is, where it is tagged, whatever else is declared.</summary>
    public Versions Versions => Tagged.IsEmpty ? declared : Tagged;

    public Versions Nullable { get; set; } = Versions.None;

    public int Tag { get; set; } = -1;

    public Versions Tagged { get; set; } = Versions.None;

    /// <summary>The default as the schema writes it, or null where it writes none.</summary>
    public string? Default { get; set; }

    public bool Ignorable { get; set; }

    /// <summary>Where this field alone departs from the message's flexible versions.</summary>
    public Versions? Flexible { get; set; }

    /// <summary>The comment above the line, in the schema's words.</summary>
    public string? Documentation { get; set; }

    /// <summary>The versions in which the field stands in its place, and not in the tag section.</summary>
    public Versions InPlace => Tagged.IsEmpty ? declared : Schema.Versions.None;

    public bool IsStruct => Kind == FieldKind.Struct;
}
