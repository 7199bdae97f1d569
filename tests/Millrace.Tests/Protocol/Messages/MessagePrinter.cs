using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;

namespace Millrace.Tests.Protocol.Messages;

/// <summary>Shows every property of a message, so that two messages are equal when their texts are.</summary>
internal static class MessagePrinter
{
    public static string Print(IMessage message)
    {
        var text = new StringBuilder();
        PrintProperties(text, message, indent: 0);
        return text.ToString();
    }

    private static void PrintProperties(StringBuilder text, object instance, int indent)
    {
        foreach (var property in instance.GetType().GetProperties().Where(property => !property.GetMethod!.IsStatic))
        {
            var value = property.GetValue(instance);
            if (property.Name == nameof(RequestHeader.UnknownTaggedFields) && ((IReadOnlyCollection<TaggedField>)value!).Count == 0)
            {
                continue;
            }

            PrintValue(text, property.Name, value, indent);
        }
    }

    private static void PrintValue(StringBuilder text, string name, object? value, int indent)
    {
        text.Append(' ', indent).Append(name).Append(": ");
        switch (value)
        {
            case null:
                text.Append("null\n");
                break;
            case string item:
                text.Append('"').Append(item).Append("\"\n");
                break;
            case ReadOnlyMemory<byte> bytes:
                text.Append("0x").Append(Convert.ToHexString(bytes.Span)).Append('\n');
                break;
            case ReadOnlySequence<byte> records:
                text.Append("records 0x").Append(Convert.ToHexString(records.ToArray())).Append('\n');
                break;
            case TaggedField field:
                text.Append(CultureInfo.InvariantCulture, $"tag {field.Tag} 0x{Convert.ToHexString(field.Payload.Span)}\n");
                break;
            case IMessage inner:
                text.Append('\n');
                PrintProperties(text, inner, indent + 2);
                break;
            case IEnumerable items:
                text.Append('\n');
                var index = 0;
                foreach (var item in items)
                {
                    PrintValue(text, $"[{index++}]", item, indent + 2);
                }

                break;
            default:
                text.Append(CultureInfo.InvariantCulture, $"{value}\n");
                break;
        }
    }
}
