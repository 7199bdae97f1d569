using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>Writes the property of a field, with its default.</summary>
internal static class PropertyEmitter
{
    public static void Emit(CodeWriter code, MessageContext context, FieldSchema field)
    {
        if (field.Documentation is { } documentation)
        {
            code.Summary(documentation);
        }

        var initial = Initial(context, field);
        code.Line($"public {TypeOf(context, field)} {field.Name} {{ get; set; }}{(initial is null ? "" : $" = {initial};")}");
    }

    /// <summary>An expression that holds when the property has its default, or null where that cannot be asked cheaply.</summary>
    public static string? IsDefault(MessageContext context, FieldSchema field)
    {
        var name = field.Name;
        if (HasNullDefault(context, field))
        {
            return $"{name} is null";
        }

        return field switch
        {
            { IsArray: true } => context.IsNullable(field) ? $"{name} is {{ Count: 0 }}" : $"{name}.Count == 0",
            { Kind: FieldKind.Struct } => null,
            { Kind: FieldKind.String } => $"{name} == {field.Default ?? "\"\""}",
            { Kind: FieldKind.Bytes } => context.IsNullable(field) ? $"{name} is {{ IsEmpty: true }}" : $"{name}.IsEmpty",
            { Kind: FieldKind.Bool } => field.Default == "true" ? name : $"!{name}",
            { Kind: FieldKind.Uuid } => $"{name} == Guid.Empty",
            _ => $"{name} == {field.Default ?? "0"}",
        };
    }

    private static string TypeOf(MessageContext context, FieldSchema field)
    {
        var element = field.Kind switch
        {
            FieldKind.Bool => "bool",
            FieldKind.Int8 => "sbyte",
            FieldKind.Int16 => "short",
            FieldKind.UInt16 => "ushort",
            FieldKind.Int32 => "int",
            FieldKind.UInt32 => "uint",
            FieldKind.Int64 => "long",
            FieldKind.Float64 => "double",
            FieldKind.Uuid => "Guid",
            FieldKind.String => "string",
            FieldKind.Bytes => "ReadOnlyMemory<byte>",
            FieldKind.Records => "ReadOnlySequence<byte>",
            FieldKind.Struct => context.ClassNameOf(field),
            _ => throw new InvalidOperationException(field.TypeName),
        };
        return (field.IsArray ? $"IReadOnlyList<{element}>" : element) + (context.IsNullable(field) ? "?" : "");
    }

    private static string? Initial(MessageContext context, FieldSchema field)
    {
        if (HasNullDefault(context, field))
        {
            return null;
        }

        return field switch
        {
            { IsArray: true } => "[]",
            { Kind: FieldKind.Struct } => "new()",
            { Kind: FieldKind.String } => field.Default ?? "\"\"",
            { Kind: FieldKind.Bytes } => context.IsNullable(field) ? "ReadOnlyMemory<byte>.Empty" : null,
            _ => field.Default is null or "0" or "false" ? null : field.Default,
        };
    }

    private static bool HasNullDefault(MessageContext context, FieldSchema field) =>
        field.Default == "null"
        || (field.Kind == FieldKind.Records && !field.IsArray)
        || (field.Default is null && MessageContext.IsAbsentAsNull(field) && context.IsNullable(field));
}
