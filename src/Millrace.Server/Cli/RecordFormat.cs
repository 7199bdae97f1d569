using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>How records are printed: bytes as they are for keys and values, so that pipes carry binary data.</summary>
internal sealed class RecordFormat
{
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<Action<Stream, ConsumeResult<byte[]?, byte[]?>>> _parts = [];

    /// <summary>A JSON object a line. Keys and values that are not UTF-8 stand as <c>{"base64": …}</c>.</summary>
    public static RecordFormat Json { get; } = MakeJson();

    /// <param name="format">Text with <c>%t %p %o %k %v %h %T %%</c> and <c>\n \t \\</c>.</param>
    public static RecordFormat Parse(string format)
    {
        var parsed = new RecordFormat();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] is not ('%' or '\\'))
            {
                parsed.AddText(format[i].ToString());
            }
            else if (++i == format.Length)
            {
                throw new CommandFailedException(ExitCode.Usage, $"--format ends in the middle of '{format[^1]}'.");
            }
            else if (format[i - 1] == '%')
            {
                parsed.AddVerb(format[i]);
            }
            else
            {
                parsed.AddText(format[i] switch { 'n' => "\n", 't' => "\t", 'r' => "\r", '0' => "\0", var other => other.ToString() });
            }
        }

        return parsed;
    }

    public void Write(Stream output, ConsumeResult<byte[]?, byte[]?> record)
    {
        foreach (var part in _parts)
        {
            part(output, record);
        }
    }

    private static RecordFormat MakeJson()
    {
        var json = new RecordFormat();
        json._parts.Add((output, record) => output.Write(Encoding.UTF8.GetBytes(ToJson(record).ToJsonString(OneLine) + "\n")));
        return json;
    }

    private void AddText(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        _parts.Add((output, _) => output.Write(bytes));
    }

    private void AddVerb(char verb) => _parts.Add(verb switch
    {
        't' => (output, record) => Text(output, record.Topic),
        'p' => (output, record) => Text(output, record.Partition.Value.ToString(CultureInfo.InvariantCulture)),
        'o' => (output, record) => Text(output, record.Offset.Value.ToString(CultureInfo.InvariantCulture)),
        'k' => (output, record) => output.Write(record.Message.Key),
        'v' => (output, record) => output.Write(record.Message.Value),
        'h' => (output, record) => Text(output, string.Join(',', record.Message.Headers.Select(header => $"{header.Key}={Encoding.UTF8.GetString(header.GetValueBytes() ?? [])}"))),
        'T' => (output, record) => Text(output, record.Message.Timestamp.UnixTimestampMs.ToString(CultureInfo.InvariantCulture)),
        '%' => (output, _) => Text(output, "%"),
        _ => throw new CommandFailedException(ExitCode.Usage, $"--format knows %t %p %o %k %v %h %T and %%, not %{verb}."),
    });

    private static void Text(Stream output, string text) => output.Write(Encoding.UTF8.GetBytes(text));

    private static JsonObject ToJson(ConsumeResult<byte[]?, byte[]?> record) => new()
    {
        ["topic"] = record.Topic,
        ["partition"] = record.Partition.Value,
        ["offset"] = record.Offset.Value,
        ["timestamp"] = record.Message.Timestamp.UnixTimestampMs,
        ["key"] = ToJson(record.Message.Key),
        ["value"] = ToJson(record.Message.Value),
        // A header name may come twice, so that an object would lose some.
        ["headers"] = new JsonArray([.. record.Message.Headers.Select(header => (JsonNode)new JsonArray(header.Key, ToJson(header.GetValueBytes())))]),
    };

    private static JsonNode? ToJson(byte[]? bytes)
    {
        if (bytes is null)
        {
            return null;
        }

        try
        {
            return JsonValue.Create(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes));
        }
        catch (DecoderFallbackException)
        {
            return new JsonObject { ["base64"] = Convert.ToBase64String(bytes) };
        }
    }
}
