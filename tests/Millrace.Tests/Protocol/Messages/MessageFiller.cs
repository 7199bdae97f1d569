using System.Buffers;
using System.Reflection;
using Millrace.Protocol.Generator.Schema;
using Millrace.Protocol.Primitives;

namespace Millrace.Tests.Protocol.Messages;

/// <summary>Sets a message's properties at random to values that one version can carry.</summary>
internal sealed class MessageFiller(MessageSchema message, short version, Random random)
{
    public IMessage Fill()
    {
        var instance = (IMessage)Activator.CreateInstance(Schemas.TypeOf(message))!;
        FillFields(instance, message.Fields);
        return instance;
    }

    private void FillFields(object instance, IReadOnlyList<FieldSchema> fields)
    {
        foreach (var field in fields.Where(field => field.Versions.Contains(version)))
        {
            var property = instance.GetType().GetProperty(field.Name)!;
            property.SetValue(instance, Value(field, property));
        }

        if (message.Flexible.Contains(version) && random.Next(4) == 0)
        {
            instance.GetType().GetProperty("UnknownTaggedFields")!.SetValue(instance, UnknownTags(fields));
        }
    }

    private List<TaggedField> UnknownTags(IReadOnlyList<FieldSchema> fields)
    {
        var known = fields.Where(field => field.Tagged.Contains(version)).Select(field => (uint)field.Tag).ToHashSet();
        return Enumerable.Range(0, random.Next(1, 4))
            .Select(_ => random.Next(2) == 0 ? (uint)random.Next(10) : (uint)random.NextInt64(1L << 32))
            .Where(tag => !known.Contains(tag))
            .Distinct()
            .Order()
            .Select(tag => new TaggedField(tag, Bytes()))
            .ToList();
    }

    private object? Value(FieldSchema field, PropertyInfo property)
    {
        var optional = field.Nullable.Contains(version) || (field.IsStruct && !field.IsArray && !field.Tagged.IsEmpty);
        if (optional && random.Next(4) == 0)
        {
            return null;
        }

        if (!field.IsArray)
        {
            return Element(field, property.PropertyType);
        }

        var elementType = property.PropertyType.GetGenericArguments()[0];
        var array = Array.CreateInstance(elementType, random.Next(4));
        for (var i = 0; i < array.Length; i++)
        {
            array.SetValue(Element(field, elementType), i);
        }

        return array;
    }

    private object Element(FieldSchema field, Type type)
    {
        switch (field.Kind)
        {
            case FieldKind.Bool:
                return random.Next(2) == 0;
            case FieldKind.Int8:
                return (sbyte)random.Next(sbyte.MinValue, sbyte.MaxValue + 1);
            case FieldKind.Int16:
                return (short)random.Next(short.MinValue, short.MaxValue + 1);
            case FieldKind.UInt16:
                return (ushort)random.Next(ushort.MaxValue + 1);
            case FieldKind.Int32:
                return (int)random.NextInt64(int.MinValue, 1L << 31);
            case FieldKind.UInt32:
                return (uint)random.NextInt64(1L << 32);
            case FieldKind.Int64:
                return random.NextInt64(long.MinValue, long.MaxValue);
            case FieldKind.Float64:
                return random.NextDouble();
            case FieldKind.Uuid:
                return new Guid(RandomBytes(16));
            case FieldKind.String:
                return string.Concat(Enumerable.Range(0, random.Next(random.Next(8) == 0 ? 200 : 8)).Select(_ =>
                    random.Next(5) == 0 ? "é漢ß"[random.Next(3)].ToString() : ((char)random.Next(32, 127)).ToString()));
            case FieldKind.Bytes:
                return Bytes();
            case FieldKind.Records:
                return new ReadOnlySequence<byte>(Bytes());
            case FieldKind.Struct:
                var instance = Activator.CreateInstance(type)!;
                FillFields(instance, message.StructOf(field).Fields);
                return instance;
            default:
                throw new InvalidOperationException(field.TypeName);
        }
    }

    private ReadOnlyMemory<byte> Bytes() => RandomBytes(random.Next(20));

    private byte[] RandomBytes(int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
