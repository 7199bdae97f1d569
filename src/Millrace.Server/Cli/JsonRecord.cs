using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Server.Cli;

/// <summary>A record as a JSON object says it: what <see cref="RecordJson"/> writes, or somebody by hand.</summary>
/// <param name="Key">Null if there is none.</param>
/// <param name="Value">Null if there is none.</param>
/// <param name="Headers">In order.</param>
/// <param name="Partition">Null if it names none.</param>
/// <param name="Timestamp">Milliseconds since the Unix epoch; null if it names none.</param>
internal sealed record JsonRecord(
    byte[]? Key, byte[]? Value, IReadOnlyList<(string Name, byte[]? Value)> Headers, int? Partition, long? Timestamp)
{
    private static readonly string[] Names = ["key", "value", "headers", "partition", "timestamp", "topic", "offset"];

    /// <param name="json">One object.</param>
    /// <exception cref="FormatException">It is no such object; the message says where and why, and its words are ours.</exception>
    public static JsonRecord Parse(byte[] json)
    {
        try
        {
            return Read(ParseObject(json));
        }
        catch (ArgumentException twice)
        {
            // The library looks at an object's names when it is first asked for one.
            throw new FormatException("a name stands in it twice.", twice);
        }
        catch (InvalidOperationException undecodable)
        {
            throw new FormatException("a text in it is not UTF-8, or has half of a surrogate pair.", undecodable);
        }
    }

    private static JsonRecord Read(JsonObject record)
    {
        if (record.FirstOrDefault(field => !Names.Contains(field.Key)).Key is { } unknown)
        {
            throw new FormatException($"'{unknown}' is none of {string.Join(", ", Names)}.");
        }

        return new(
            Bytes(record["key"]), Bytes(record["value"]), [.. HeadersOf(record["headers"])],
            Number<int>(record, "partition"), Number<long>(record, "timestamp"));
    }

    private static JsonObject ParseObject(byte[] json)
    {
        try
        {
            var node = JsonNode.Parse(json);
            return node as JsonObject ?? throw new FormatException($"it is {(node is null ? "null" : Kind(node))}, and no object.");
        }
        catch (JsonException failure)
        {
            throw new FormatException(JsonFault.Describe(json, (int)(failure.BytePositionInLine ?? 0)), failure);
        }
    }

    private static T? Number<T>(JsonObject record, string name)
        where T : struct =>
        record[name] switch
        {
            null => null,
            JsonValue value when value.TryGetValue<T>(out var number) => number,
            var other => throw new FormatException($"'{name}' is a whole number, and not {other.ToJsonString()}."),
        };

    // An object is easy to write; a list of pairs keeps names that come twice.
    private static IEnumerable<(string Name, byte[]? Value)> HeadersOf(JsonNode? node) => node switch
    {
        null => [],
        JsonArray pairs => pairs.Select(pair => pair is JsonArray { Count: 2 } two && two[0]?.GetValueKind() == JsonValueKind.String
            ? (two[0]!.GetValue<string>(), Bytes(two[1]))
            : throw NoHeaders()),
        JsonObject named => named.Select(pair => (pair.Key, Bytes(pair.Value))),
        _ => throw NoHeaders(),
    };

    // Text as it is, bytes that are no text from {"base64": "…"}; any other JSON value as its JSON text.
    private static byte[]? Bytes(JsonNode? node)
    {
        if (node is JsonObject { Count: 1 } bytes && bytes["base64"] is { } base64)
        {
            var text = base64.GetValueKind() == JsonValueKind.String ? base64.GetValue<string>() : null;
            var buffer = new byte[text?.Length ?? 0];
            return text is not null && Convert.TryFromBase64String(text, buffer, out var count)
                ? buffer[..count]
                : throw new FormatException($"{base64.ToJsonString()} is no Base64.");
        }

        return node is null ? null : Encoding.UTF8.GetBytes(node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString());
    }

    private static string Kind(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        _ => node.ToJsonString(),
    };

    private static FormatException NoHeaders() => new("headers are an object, or a list of pairs [\"name\", \"value\"].");
}
