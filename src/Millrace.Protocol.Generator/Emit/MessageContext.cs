using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>What the emitters need to know about the message around a field: names, valid versions, flexibility.</summary>
internal sealed class MessageContext
{
    private readonly Dictionary<string, string> _classNames;

    public MessageContext(MessageSchema message)
    {
        Message = message;
        var topLevel = new HashSet<string>(message.Fields.Select(field => field.Name));
        // A class cannot have a member and a nested class of one name, nor a member of its own name.
        _classNames = message.Structs.ToDictionary(
            item => item.Name,
            item => topLevel.Contains(item.Name) || item.Fields.Any(field => field.Name == item.Name) ? item.Name + "Data" : item.Name);
    }

    public MessageSchema Message { get; }

    public Versions Versions => Message.Versions;

    /// <summary>Whether some valid version has the flexible encoding, and whether all have.</summary>
    public bool SometimesFlexible => !Message.Flexible.Intersect(Versions).IsEmpty;

    public bool AlwaysFlexible => SometimesFlexible && Message.Flexible.Covers(Versions);

    public string ClassNameOf(StructSchema item) => _classNames[item.Name];

    public string ClassNameOf(FieldSchema field) => _classNames[field.TypeName];

    /// <summary>The flexibility of a field as an argument: a constant, or the local that a method computes.</summary>
    public string FlexibleArgument(FieldSchema field) => field switch
    {
        { Flexible: { } own } => Condition.For(own, Versions),
        _ => FlexibleCondition is Condition.Always or Condition.Never ? FlexibleCondition : "flexible",
    };

    public string FlexibleCondition => Condition.For(Message.Flexible, Versions);

    /// <summary>The encoding differs between valid versions, so that a method computes the local <c>flexible</c>.</summary>
    public bool NeedsFlexibleLocal => FlexibleCondition is not (Condition.Always or Condition.Never);

    /// <summary>The field stands somewhere on the wire in some valid version.</summary>
    public bool IsUsed(FieldSchema field) => !field.Versions.Intersect(Versions).IsEmpty;

    /// <summary>Null is a value in some valid version.</summary>
    public bool IsNullable(FieldSchema field) =>
        field.Kind == FieldKind.Records || IsAbsentAsNull(field) || field.Default == "null"
        || !field.Nullable.Intersect(field.Versions).Intersect(Versions).IsEmpty;

    /// <summary>A tagged structure whose default is its absence.</summary>
    public static bool IsAbsentAsNull(FieldSchema field) => field.IsStruct && !field.IsArray && !field.Tagged.IsEmpty;

    /// <summary>The fewest bytes that one element of an array takes in any valid version.</summary>
    public int MinimumElementSize(FieldSchema array)
    {
        var smallest = int.MaxValue;
        for (var version = Versions.Min; version <= Versions.Max; version++)
        {
            smallest = Math.Min(smallest, MinimumSize(array, version));
        }

        return Math.Max(1, smallest);
    }

    private int MinimumSize(FieldSchema field, short version)
    {
        var flexible = Message.Flexible.Contains(version);
        return field.Kind switch
        {
            FieldKind.Bool or FieldKind.Int8 => 1,
            FieldKind.Int16 or FieldKind.UInt16 => 2,
            FieldKind.Int32 or FieldKind.UInt32 => 4,
            FieldKind.Int64 or FieldKind.Float64 => 8,
            FieldKind.Uuid => 16,
            FieldKind.String => flexible ? 1 : 2,
            FieldKind.Bytes or FieldKind.Records => flexible ? 1 : 4,
            FieldKind.Struct => Message.StructOf(field).Fields.Where(inner => inner.InPlace.Contains(version)).Sum(inner => InStruct(inner)) + (flexible ? 1 : 0),
            _ => throw new InvalidOperationException(field.TypeName),
        };

        int InStruct(FieldSchema inner) =>
            inner.IsArray ? (flexible ? 1 : 4)
            : inner.IsStruct && IsNullable(inner) ? 1
            : MinimumSize(inner, version);
    }
}
