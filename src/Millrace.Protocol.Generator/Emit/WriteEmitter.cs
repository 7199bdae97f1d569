using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>Writes the <c>Write</c> method of a message or structure.</summary>
internal static class WriteEmitter
{
    public static void Emit(CodeWriter code, MessageContext context, string className, IReadOnlyList<FieldSchema> fields, bool checkVersion)
    {
        code.Open("public void Write(ref KafkaWriter writer, short version)");
        if (checkVersion)
        {
            code.Line($"ProtocolException.ThrowUnlessSupported(Versions, version, nameof({className}));");
        }

        if (context.NeedsFlexibleLocal)
        {
            code.Line($"var flexible = {context.FlexibleCondition};");
        }

        foreach (var group in FieldGroup.InPlace(context, fields))
        {
            EmitGroup(code, context, group);
        }

        foreach (var group in FieldGroup.BeforeTags(context, fields))
        {
            var guards = GuardsOf(context, group);
            if (guards.Length > 0)
            {
                code.If(group.Condition, () => EmitLines(code, guards));
            }
        }

        if (context.SometimesFlexible)
        {
            EmitTagSection(code, context, fields);
        }

        code.Close();
    }

    private static void EmitGroup(CodeWriter code, MessageContext context, FieldGroup group)
    {
        code.If(group.Condition, () =>
        {
            foreach (var field in group.Fields)
            {
                EmitValue(code, context, field, field.InPlace, "writer");
            }
        });

        var guards = GuardsOf(context, group);
        if (group.Condition != Condition.Always && guards.Length > 0)
        {
            code.Open("else");
            EmitLines(code, guards);
            code.Close();
        }
    }

    private static void EmitLines(CodeWriter code, string[] lines)
    {
        foreach (var line in lines)
        {
            code.Line(line);
        }
    }

    private static string[] GuardsOf(MessageContext context, FieldGroup group) =>
        [.. group.Fields.Select(field => Guard(context, field)).OfType<string>()];

    /// <summary>The statement that refuses a value in a version that would lose it, or null where losing it is allowed.</summary>
    private static string? Guard(MessageContext context, FieldSchema field) =>
        field.Ignorable || PropertyEmitter.IsDefault(context, field) is not { } isDefault
            ? null
            : $"ProtocolException.ThrowUnlessDefault({isDefault}, nameof({field.Name}), version);";

    private static void EmitTagSection(CodeWriter code, MessageContext context, IReadOnlyList<FieldSchema> fields)
    {
        if (!context.AlwaysFlexible)
        {
            code.Open("if (flexible)");
        }

        var tagged = fields.Where(field => !field.Tagged.Intersect(context.Versions).IsEmpty).OrderBy(field => field.Tag).ToArray();
        if (tagged.Length == 0)
        {
            code.Line("writer.WriteTaggedFields(UnknownTaggedFields);");
        }
        else
        {
            code.Line("var tags = new TaggedFieldsWriter(UnknownTaggedFields);");
            foreach (var field in tagged)
            {
                EmitTagged(code, context, field);
            }

            code.Line("tags.WriteTo(ref writer);");
        }

        if (!context.AlwaysFlexible)
        {
            code.Close();
            code.Open("else");
            code.Line("ProtocolException.ThrowUnlessDefault(UnknownTaggedFields.Count == 0, nameof(UnknownTaggedFields), version);");
            code.Close();
        }
    }

    private static void EmitTagged(CodeWriter code, MessageContext context, FieldSchema field)
    {
        var known = context.Message.Flexible.Intersect(context.Versions);
        var condition = Condition.For(field.Tagged, known);
        var isDefault = PropertyEmitter.IsDefault(context, field);
        var isSet = isDefault is null ? Condition.Always : Negate(isDefault);
        code.Open(condition == Condition.Always ? $"if ({isSet})" : $"if ({condition} && {isSet})");
        code.Line($"var field = tags.Begin({field.Tag});");
        EmitValue(code, context, field, field.Tagged, "field");
        code.Line("tags.End(ref field);");
        code.Close();
    }

    private static string Negate(string condition) => condition switch
    {
        _ when condition.EndsWith(" is null", StringComparison.Ordinal) => condition.Replace(" is null", " is not null"),
        _ when condition.Contains(" is ") => condition.Replace(" is ", " is not "),
        _ when condition.Contains(" == ") => condition.Replace(" == ", " != "),
        _ when condition.StartsWith("!", StringComparison.Ordinal) => condition.Substring(1),
        _ => "!" + condition,
    };

    private static void EmitValue(CodeWriter code, MessageContext context, FieldSchema field, Versions place, string writer)
    {
        var nullable = Condition.For(field.Nullable, place.Intersect(context.Versions));
        if (nullable is Condition.Always or Condition.Never)
        {
            code.Line(Call(context, field, nullable == Condition.Always, writer));
            return;
        }

        code.Open($"if ({nullable})");
        code.Line(Call(context, field, nullable: true, writer));
        code.Close();
        code.Open("else");
        code.Line(Call(context, field, nullable: false, writer));
        code.Close();
    }

    private static string Call(MessageContext context, FieldSchema field, bool nullable, string writer)
    {
        var prefix = nullable ? $"{writer}.WriteNullable" : $"{writer}.Write";
        var flexible = context.FlexibleArgument(field);
        return field switch
        {
            { IsArray: true, Kind: FieldKind.Struct } => $"{prefix}Array({field.Name}, version, {flexible});",
            { IsArray: true } => $"{prefix}{field.Kind}Array({field.Name}, {flexible});",
            { Kind: FieldKind.Struct } => nullable ? $"{prefix}Struct({field.Name}, version);" : $"{field.Name}.Write(ref {writer}, version);",
            { Kind: FieldKind.String or FieldKind.Bytes or FieldKind.Records } => $"{prefix}{field.Kind}({field.Name}, {flexible});",
            _ => $"{writer}.Write{field.Kind}({field.Name});",
        };
    }
}
