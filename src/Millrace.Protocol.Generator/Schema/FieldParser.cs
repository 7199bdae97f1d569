namespace Millrace.Protocol.Generator.Schema;

/// <summary>Reads a field's line: name, type, versions, and then any attributes.</summary>
internal static class FieldParser
{
    public static FieldSchema Parse(SchemaLine line, string name)
    {
        var type = line.Take("The field's type");
        var isArray = type.StartsWith("[]", StringComparison.Ordinal);
        var typeName = isArray ? type.Substring(2) : type;
        var kind = KindOf(line, typeName);
        if (isArray
            && kind is not (FieldKind.Struct or FieldKind.String or FieldKind.Uuid or FieldKind.Int8 or FieldKind.Int16
                or FieldKind.Int32 or FieldKind.Int64 or FieldKind.Bytes))
        {
            throw new SchemaException(line.Number, $"An array of {typeName} is not supported");
        }

        var field = new FieldSchema(name, kind, typeName, isArray, line.TakeVersions("a range of versions"))
        {
            Documentation = line.Documentation,
        };
        while (!line.AtEnd)
        {
            ParseAttribute(line, field);
        }

        if (!field.Tagged.IsEmpty && field.Tagged.Max != short.MaxValue)
        {
            throw new SchemaException(line.Number, "A tag lasts to the last version");
        }

        return field;
    }

    private static void ParseAttribute(SchemaLine line, FieldSchema field)
    {
        var word = line.Take("A word");
        switch (word)
        {
            case "nullable":
                field.Nullable = line.TakeVersions("a range of versions");
                break;
            case "tag":
                field.Tag = line.TakeNumber("a tag");
                field.Tagged = line.TakeVersions("a range of versions");
                break;
            case "default":
                field.Default = line.Take("The default");
                break;
            case "ignorable":
                field.Ignorable = true;
                break;
            case "flexible":
                field.Flexible = line.TakeVersions("a range of versions");
                break;
            case "entity":
                line.Take("The entity");
                break;
            case "key" or "zerocopy":
                // They say what a value means; every slice of a frame is zero-copy here.
                break;
            default:
                throw line.Unknown(word);
        }
    }

    private static FieldKind KindOf(SchemaLine line, string type) => type switch
    {
        "bool" => FieldKind.Bool,
        "int8" => FieldKind.Int8,
        "int16" => FieldKind.Int16,
        "uint16" => FieldKind.UInt16,
        "int32" => FieldKind.Int32,
        "uint32" => FieldKind.UInt32,
        "int64" => FieldKind.Int64,
        "float64" => FieldKind.Float64,
        "uuid" => FieldKind.Uuid,
        "string" => FieldKind.String,
        "bytes" => FieldKind.Bytes,
        "records" => FieldKind.Records,
        _ when type.Length > 0 && char.IsUpper(type[0]) => FieldKind.Struct,
        _ => throw new SchemaException(line.Number, $"'{type}' is no type"),
    };
}
