using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>Writes the <c>Read</c> method of a message or structure.</summary>
internal static class ReadEmitter
{
    public static void Emit(CodeWriter code, MessageContext context, string className, IReadOnlyList<FieldSchema> fields, bool checkVersion)
    {
        code.Open($"public static {className} Read(ref KafkaReader reader, short version)");
        if (checkVersion)
        {
            code.Line($"ProtocolException.ThrowUnlessSupported(Versions, version, nameof({className}));");
        }

        if (context.NeedsFlexibleLocal)
        {
            code.Line($"var flexible = {context.FlexibleCondition};");
        }

        code.Line($"var message = new {className}();");
        foreach (var group in FieldGroup.InPlace(context, fields))
        {
            code.If(group.Condition, () =>
            {
                foreach (var field in group.Fields)
                {
                    code.Line($"message.{field.Name} = {Value(context, field, field.InPlace)};");
                }
            });
        }

        if (context.SometimesFlexible)
        {
            EmitTagSection(code, context, fields);
        }

        code.Line("return message;");
        code.Close();
    }

    private static void EmitTagSection(CodeWriter code, MessageContext context, IReadOnlyList<FieldSchema> fields)
    {
        if (!context.AlwaysFlexible)
        {
            code.Open("if (flexible)");
        }

        var tagged = fields.Where(field => !field.Tagged.Intersect(context.Versions).IsEmpty).OrderBy(field => field.Tag).ToArray();
        if (tagged.Length == 0)
        {
            code.Line("message.UnknownTaggedFields = reader.ReadUnknownTaggedFields();");
        }
        else
        {
            code.Open("for (var left = reader.ReadTaggedFieldCount(); left > 0; left--)");
            code.Line("var field = reader.BeginTaggedField();");
            code.Open("switch (field.Tag)");
            foreach (var field in tagged)
            {
                var condition = Condition.For(field.Tagged, context.Message.Flexible.Intersect(context.Versions));
                code.Line($"case {field.Tag}{(condition == Condition.Always ? "" : $" when {condition}")}:");
                code.Indent();
                code.Line($"message.{field.Name} = {Value(context, field, field.Tagged)};");
                code.Line("break;");
                code.Unindent();
            }

            code.Line("default:");
            code.Indent();
            code.Line("message.UnknownTaggedFields = reader.KeepTaggedField(field, message.UnknownTaggedFields);");
            code.Line("break;");
            code.Unindent();
            code.Close();
            code.Line("reader.EndTaggedField(field);");
            code.Close();
        }

        if (!context.AlwaysFlexible)
        {
            code.Close();
        }

    }

    /// <summary>The expression that reads a value, given the versions in which this place is reached.</summary>
    private static string Value(MessageContext context, FieldSchema field, Versions place)
    {
        var known = place.Intersect(context.Versions);
        var nullable = Condition.For(field.Nullable, known);
        return nullable switch
        {
            Condition.Never => Call(context, field, nullable: false),
            Condition.Always => Call(context, field, nullable: true),
            _ => $"{nullable} ? {Call(context, field, nullable: true)} : {Call(context, field, nullable: false)}",
        };
    }

    private static string Call(MessageContext context, FieldSchema field, bool nullable)
    {
        var prefix = nullable ? "reader.ReadNullable" : "reader.Read";
        var flexible = context.FlexibleArgument(field);
        return field switch
        {
            { IsArray: true, Kind: FieldKind.Struct } =>
                $"{prefix}Array<{context.ClassNameOf(field)}>(version, {flexible}, minimumElementSize: {context.MinimumElementSize(field)})",
            { IsArray: true } => $"{prefix}{field.Kind}Array({flexible})",
            { Kind: FieldKind.Struct } =>
                nullable ? $"{prefix}Struct<{context.ClassNameOf(field)}>(version)" : $"{context.ClassNameOf(field)}.Read(ref reader, version)",
            { Kind: FieldKind.String or FieldKind.Bytes or FieldKind.Records } => $"{prefix}{field.Kind}({flexible})",
            _ => $"reader.Read{field.Kind}()",
        };
    }
}
