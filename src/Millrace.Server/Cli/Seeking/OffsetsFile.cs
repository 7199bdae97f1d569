using System.Globalization;
using Confluent.Kafka;
using Microsoft.VisualBasic.FileIO;

namespace Millrace.Server.Cli.Seeking;

/// <summary>
/// Offsets as <c>kafka-consumer-groups --export</c> writes them: CSV lines of topic, partition and offset, before these the group where
/// it was asked for several.
/// </summary>
internal static class OffsetsFile
{
    /// <param name="text">The file.</param>
    /// <param name="group">Lines of other groups are passed over.</param>
    /// <exception cref="CommandFailedException">A line is none of the kind, names a partition again, or none is for the group.</exception>
    public static IReadOnlyDictionary<TopicPartition, long> Parse(TextReader text, string group)
    {
        var offsets = new Dictionary<TopicPartition, long>();
        using var lines = new TextFieldParser(text) { Delimiters = [","], HasFieldsEnclosedInQuotes = true };
        while (lines.LineNumber is var number and > 0 && Fields(lines) is { } fields)
        {
            if (fields.Length == 4 && fields[0] != group)
            {
                continue;
            }

            if (fields.Length is not (3 or 4)
                || !int.TryParse(fields[^2], NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
                || !long.TryParse(fields[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            {
                throw Wrong(number, "is not TOPIC,PARTITION,OFFSET or GROUP,TOPIC,PARTITION,OFFSET");
            }

            if (!offsets.TryAdd(new TopicPartition(fields[^3], partition), offset))
            {
                throw Wrong(number, $"names {fields[^3]}-{partition} again");
            }
        }

        return offsets.Count > 0 ? offsets : throw new CommandFailedException(ExitCode.Usage, $"--file: no line is for group '{group}'.");
    }

    private static string[]? Fields(TextFieldParser lines)
    {
        try
        {
            return lines.ReadFields();
        }
        catch (MalformedLineException)
        {
            throw Wrong(lines.ErrorLineNumber, "is not CSV");
        }
    }

    private static CommandFailedException Wrong(long line, string how) => new(ExitCode.Usage, $"--file: line {line} {how}.");
}
