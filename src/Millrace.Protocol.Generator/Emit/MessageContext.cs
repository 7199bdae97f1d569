using Millrace.Protocol.Generator.Schema;

namespace Millrace.Protocol.Generator.Emit;

/// <summary>What the emitters need to know about the class around a field: names, versions in which it is reached, flexibility.</summary>
internal sealed class MessageContext
{
    private readonly Dictionary<string, string> _classNames;
    private readonly Dictionary<string, Versions> _reach = [];

    public MessageContext(MessageSchema message)
    {
        Message = message;
        Versions = message.Versions;
        Reach(message.Fields, message.Versions);
        var topLevel = new HashSet<string>(message.Fields.Select(field => field.Name));
        // A class cannot have a member and a nested class of one name, nor a member of its own name.
        _classNames = message.Structs.ToDictionary(
            item => item.Name,
            item => topLevel.Contains(item.Name) || item.Fields.Any(field => field.Name == item.Name) ? item.Name + "Data" : item.Name);
    }

    private MessageContext(MessageContext message, Versions versions)
    {
        Message = message.Message;
        Versions = versions;
        _classNames = message._classNames;
        _reach = message._reach;
    }

    public MessageSchema Message { get; }

    /// <summary>The versions in which the class is read or written at all.</summary>
    public Versions Versions { get; }

    /// <summary>The same for a structure of the message.</summary>
    public MessageContext Inside(StructSchema item) => new(this, _reach[item.Name]);

    /// <summary>Some version reaches the structure.</summary>
    public bool IsUsed(StructSchema item) => _reach.ContainsKey(item.Name);

    /// <summary>Whether some valid version has the flexible encoding, and whether all have.</summary>
    public bool SometimesFlexible => !Message.Flexible.Intersect(Versions).IsEmpty;

    public bool AlwaysFlexible => SometimesFlexible && Message.Flexible.Covers(Versions);

    public string ClassNameOf(StructSchema item) => _classNames[item.Name];

    public string ClassNameOf(FieldSchema field) => _classNames[field.TypeName];

    /// <summary>The flexibility of a field as an argument: a constant, or the local that a method computes.</summary>
    public string FlexibleArgument(FieldSchema field)
    {
        var condition = field.Flexible is { } own ? Condition.For(own, Versions) : FlexibleCondition;
        return condition is Condition.Always or Condition.Never ? $"flexible: {condition}" : field.Flexible is null ? "flexible" : condition;
    }

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
        var present = array.Versions.Intersect(Versions);
        for (var version = present.Min; version <= present.Max; version++)
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
            FieldKind.Struct =>
                Message.StructOf(field).Fields.Where(inner => inner.InPlace.Contains(version)).Sum(inner => InStruct(inner)) + (flexible ? 1 : 0),
            _ => throw new InvalidOperationException(field.TypeName),
        };

        int InStruct(FieldSchema inner) =>
            inner.IsArray ? (flexible ? 1 : 4)
            : inner.IsStruct && IsNullable(inner) ? 1
            : MinimumSize(inner, version);
    }

    private void Reach(IReadOnlyList<FieldSchema> fields, Versions versions)
    {
        foreach (var field in fields.Where(field => field.IsStruct))
        {
            var reached = field.Versions.Intersect(versions);
            var before = _reach.TryGetValue(field.TypeName, out var known) ? known : Versions.None;
            if (!reached.IsEmpty && !before.Covers(reached))
            {
                _reach[field.TypeName] = before.Hull(reached);
                Reach(Message.StructOf(field).Fields, _reach[field.TypeName]);
            }
        }
    }
}
