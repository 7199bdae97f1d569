using System.Buffers;
using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>How records are printed: bytes as they are for keys and values, so that pipes carry binary data.</summary>
internal sealed class RecordFormat
{
    private const int LongestNumber = 20;
    private readonly List<Action<IBufferWriter<byte>, ConsumeResult<byte[]?, byte[]?>>> _parts = [];

    /// <summary>A JSON object a line. Keys and values that are not UTF-8 stand as <c>{"base64": …}</c>.</summary>
    public static RecordFormat Json { get; } = MakeJson();

    /// <summary>Records' topics are printed. What is not, the client library need not make an object of for each record.</summary>
    public bool NeedsTopic { get; private set; }

    /// <inheritdoc cref="NeedsTopic"/>
    public bool NeedsTimestamp { get; private set; }

    /// <inheritdoc cref="NeedsTopic"/>
    public bool NeedsHeaders { get; private set; }

    /// <param name="format">Text with <c>%t %p %o %k %v %h %T %%</c> and <c>\n \t \\</c>.</param>
    public static RecordFormat Parse(string format)
    {
        var parsed = new RecordFormat();
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] is not ('%' or '\\'))
            {
                text.Append(format[i]);
            }
            else if (++i == format.Length)
            {
                throw new CommandFailedException(ExitCode.Usage, $"--format ends in the middle of '{format[^1]}'.");
            }
            else if (format[i - 1] == '\\')
            {
                text.Append(format[i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', '0' => '\0', var other => other });
            }
            else if (format[i] == '%')
            {
                text.Append('%');
            }
            else
            {
                parsed.AddText(text);
                parsed.AddVerb(format[i]);
            }
        }

        parsed.AddText(text);
        return parsed;
    }

    public void Write(IBufferWriter<byte> output, ConsumeResult<byte[]?, byte[]?> record)
    {
        foreach (var part in _parts)
        {
            part(output, record);
        }
    }

    private static RecordFormat MakeJson()
    {
        var json = new RecordFormat { NeedsTopic = true, NeedsTimestamp = true, NeedsHeaders = true };
        json._parts.Add(new RecordJson().Write);
        return json;
    }

    // Taken once all that stands before a verb is known.
    private void AddText(StringBuilder text)
    {
        if (text.Length > 0)
        {
            var bytes = Encoding.UTF8.GetBytes(text.ToString());
            _parts.Add((output, _) => output.Write(bytes));
            text.Clear();
        }
    }

    private void AddVerb(char verb)
    {
        NeedsTopic |= verb == 't';
        NeedsTimestamp |= verb == 'T';
        NeedsHeaders |= verb == 'h';
        _parts.Add(verb switch
        {
            't' => (output, record) => Encoding.UTF8.GetBytes(record.Topic, output),
            'p' => (output, record) => Number(output, record.Partition.Value),
            'o' => (output, record) => Number(output, record.Offset.Value),
            'k' => (output, record) => output.Write(record.Message.Key),
            'v' => (output, record) => output.Write(record.Message.Value),
            'h' => (output, record) => Headers(output, record.Message.Headers),
            'T' => (output, record) => Number(output, record.Message.Timestamp.UnixTimestampMs),
            _ => throw new CommandFailedException(ExitCode.Usage, $"--format knows %t %p %o %k %v %h %T and %%, not %{verb}."),
        });
    }

    private static void Number(IBufferWriter<byte> output, long number)
    {
        number.TryFormat(output.GetSpan(LongestNumber), out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    private static void Headers(IBufferWriter<byte> output, Headers headers)
    {
        for (var i = 0; i < headers.Count; i++)
        {
            output.Write(i == 0 ? ""u8 : ","u8);
            Encoding.UTF8.GetBytes(headers[i].Key, output);
            output.Write("="u8);
            output.Write(headers[i].GetValueBytes());
        }
    }
}
