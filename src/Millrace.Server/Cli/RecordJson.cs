using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>Records as JSON objects, one a line, which <see cref="RecordLines"/> reads back.</summary>
/// <remarks>Threading: one thread.</remarks>
internal sealed class RecordJson
{
    private readonly Utf8JsonWriter _writer =
        new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    public void Write(IBufferWriter<byte> output, ConsumeResult<byte[]?, byte[]?> record)
    {
        _writer.Reset(output);
        _writer.WriteStartObject();
        _writer.WriteString("topic"u8, record.Topic);
        _writer.WriteNumber("partition"u8, record.Partition.Value);
        _writer.WriteNumber("offset"u8, record.Offset.Value);
        _writer.WriteNumber("timestamp"u8, record.Message.Timestamp.UnixTimestampMs);
        _writer.WritePropertyName("key"u8);
        WriteBytes(record.Message.Key);
        _writer.WritePropertyName("value"u8);
        WriteBytes(record.Message.Value);

        // A header name may come twice, so that an object would lose some.
        _writer.WriteStartArray("headers"u8);
        foreach (var header in record.Message.Headers)
        {
            _writer.WriteStartArray();
            _writer.WriteStringValue(header.Key);
            WriteBytes(header.GetValueBytes());
            _writer.WriteEndArray();
        }

        _writer.WriteEndArray();
        _writer.WriteEndObject();
        _writer.Flush();
        output.Write("\n"u8);
    }

    private void WriteBytes(byte[]? bytes)
    {
        if (bytes is null)
        {
            _writer.WriteNullValue();
        }
        else if (Utf8.IsValid(bytes))
        {
            _writer.WriteStringValue(bytes);
        }
        else
        {
            _writer.WriteStartObject();
            _writer.WriteBase64String("base64"u8, bytes);
            _writer.WriteEndObject();
        }
    }
}
