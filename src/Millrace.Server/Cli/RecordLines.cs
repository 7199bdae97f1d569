using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>Turns lines of text into records.</summary>
/// <param name="json">Each line is a JSON object.</param>
/// <param name="keySeparator">Stands between key and value of a plain line; null if lines have no key.</param>
/// <param name="headers">Given to every record.</param>
/// <param name="emptyIsNull">An empty value becomes null.</param>
internal sealed class RecordLines(bool json, string? keySeparator, Headers headers, bool emptyIsNull)
{
    /// <summary>A record, and the partition if the line names one.</summary>
    /// <param name="line">Without its line end.</param>
    /// <param name="number">Counted from 1, for messages.</param>
    public (Message<byte[]?, byte[]?> Message, int? Partition) Parse(string line, long number) =>
        json ? ParseJson(line, number) : (ParsePlain(line, number), null);

    private Message<byte[]?, byte[]?> ParsePlain(string line, long number)
    {
        if (keySeparator is null)
        {
            return new() { Value = Value(line), Headers = headers };
        }

        var at = line.IndexOf(keySeparator, StringComparison.Ordinal);
        return at >= 0
            ? new() { Key = Encoding.UTF8.GetBytes(line[..at]), Value = Value(line[(at + keySeparator.Length)..]), Headers = headers }
            : throw new CommandFailedException(ExitCode.Usage, $"Line {number} has no key: '{keySeparator}' is not in it.");
    }

    private (Message<byte[]?, byte[]?> Message, int? Partition) ParseJson(string line, long number)
    {
        try
        {
            var record = JsonNode.Parse(line)?.AsObject() ?? throw new JsonException("not an object");
            var message = new Message<byte[]?, byte[]?> { Key = Bytes(record["key"]), Value = Bytes(record["value"]), Headers = [] };
            foreach (var header in headers)
            {
                message.Headers.Add(header);
            }

            foreach (var (name, value) in record["headers"]?.AsObject() ?? [])
            {
                message.Headers.Add(name, Bytes(value));
            }

            if (record["timestamp"] is { } timestamp)
            {
                message.Timestamp = new Timestamp(timestamp.GetValue<long>(), TimestampType.CreateTime);
            }

            return (message, record["partition"]?.GetValue<int>());
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException)
        {
            throw new CommandFailedException(ExitCode.Usage, $"Line {number} is not a record in JSON, like {{\"key\": \"k\", \"value\": \"v\"}}: {failure.Message}", failure);
        }
    }

    private byte[]? Value(string text) => emptyIsNull && text.Length == 0 ? null : Encoding.UTF8.GetBytes(text);

    // Text as it is; any other JSON value as its JSON text.
    private static byte[]? Bytes(JsonNode? node) => node is null
        ? null
        : Encoding.UTF8.GetBytes(node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString());
}
