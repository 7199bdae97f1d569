using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>Turns lines into records. What <c>consume --json</c> prints is read back as the record it was.</summary>
/// <param name="json">Each line is a JSON object.</param>
/// <param name="keySeparator">Stands between key and value of a plain line; null if lines have no key.</param>
/// <param name="headers">Given to every record.</param>
/// <param name="emptyIsNull">An empty value becomes null.</param>
internal sealed class RecordLines(bool json, string? keySeparator, Headers headers, bool emptyIsNull)
{
    private static readonly string[] Names = ["key", "value", "headers", "partition", "timestamp", "topic", "offset"];
    private readonly byte[]? _separator = keySeparator is null ? null : Encoding.UTF8.GetBytes(keySeparator);

    /// <summary>A record, and the partition if the line names one.</summary>
    /// <param name="line">Without its line end.</param>
    /// <param name="number">Counted from 1, for messages.</param>
    public (Message<byte[]?, byte[]?> Message, int? Partition) Parse(byte[] line, long number) =>
        json ? ParseJson(line, number) : (ParsePlain(line, number), null);

    private Message<byte[]?, byte[]?> ParsePlain(byte[] line, long number)
    {
        if (_separator is null)
        {
            return new() { Value = Value(line), Headers = headers };
        }

        var at = line.AsSpan().IndexOf(_separator);
        return at >= 0
            ? new() { Key = line[..at], Value = Value(line[(at + _separator.Length)..]), Headers = headers }
            : throw new CommandFailedException(ExitCode.Usage, $"Line {number} has no key: '{keySeparator}' is not in it.");
    }

    private (Message<byte[]?, byte[]?> Message, int? Partition) ParseJson(byte[] line, long number)
    {
        try
        {
            var record = JsonNode.Parse(line)?.AsObject() ?? throw new JsonException("not an object");
            if (record.FirstOrDefault(field => !Names.Contains(field.Key)).Key is { } unknown)
            {
                throw new JsonException($"'{unknown}' is none of {string.Join(", ", Names)}.");
            }

            var message = new Message<byte[]?, byte[]?> { Key = Bytes(record["key"]), Value = Value(Bytes(record["value"])), Headers = [] };
            foreach (var header in headers)
            {
                message.Headers.Add(header);
            }

            foreach (var (name, value) in HeadersOf(record["headers"]))
            {
                message.Headers.Add(name, value);
            }

            if (record["timestamp"] is { } timestamp)
            {
                message.Timestamp = new Timestamp(timestamp.GetValue<long>(), TimestampType.CreateTime);
            }

            return (message, record["partition"]?.GetValue<int>());
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            throw new CommandFailedException(
                ExitCode.Usage, $"Line {number} is not a record in JSON, like {{\"key\": \"k\", \"value\": \"v\"}}: {failure.Message}", failure);
        }
    }

    // An object is easy to write; a list of pairs keeps names that come twice.
    private static IEnumerable<(string Name, byte[]? Value)> HeadersOf(JsonNode? node) => node switch
    {
        null => [],
        JsonArray pairs => pairs.Select(pair => pair is JsonArray { Count: 2 } two && two[0]?.GetValueKind() == JsonValueKind.String
            ? (two[0]!.GetValue<string>(), Bytes(two[1]))
            : throw new JsonException("Headers are an object, or a list of pairs [\"name\", \"value\"].")),
        _ => node.AsObject().Select(pair => (pair.Key, Bytes(pair.Value))),
    };

    private byte[]? Value(byte[]? value) => emptyIsNull && value is { Length: 0 } ? null : value;

    // Text as it is, bytes that are no text from {"base64": "…"}; any other JSON value as its JSON text.
    private static byte[]? Bytes(JsonNode? node) => node switch
    {
        null => null,
        JsonObject { Count: 1 } bytes when bytes["base64"] is { } base64 => Convert.FromBase64String(base64.GetValue<string>()),
        _ => Encoding.UTF8.GetBytes(node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString()),
    };
}
