using System.Text;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>Turns lines into records. What <c>consume --json</c> prints is read back as the record it was.</summary>
/// <param name="json">Each line is a JSON object.</param>
/// <param name="keySeparator">Stands between key and value of a plain line; null if lines have no key.</param>
/// <param name="headers">Given to every record.</param>
/// <param name="emptyIsNull">An empty value becomes null.</param>
internal sealed class RecordLines(bool json, string? keySeparator, Headers headers, bool emptyIsNull)
{
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
            var record = JsonRecord.Parse(line);
            var message = new Message<byte[]?, byte[]?> { Key = record.Key, Value = Value(record.Value), Headers = [] };
            foreach (var header in headers)
            {
                message.Headers.Add(header);
            }

            foreach (var (name, value) in record.Headers)
            {
                message.Headers.Add(name, value);
            }

            if (record.Timestamp is { } timestamp)
            {
                message.Timestamp = new Timestamp(timestamp, TimestampType.CreateTime);
            }

            return (message, record.Partition);
        }
        catch (FormatException refusal)
        {
            throw new CommandFailedException(
                ExitCode.Usage, $"Line {number} is not a record in JSON, like {{\"key\": \"k\", \"value\": \"v\"}}: {refusal.Message}", refusal);
        }
    }

    private byte[]? Value(byte[]? value) => emptyIsNull && value is { Length: 0 } ? null : value;
}
