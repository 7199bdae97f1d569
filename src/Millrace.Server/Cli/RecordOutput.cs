using System.Buffers;

namespace Millrace.Server.Cli;

/// <summary>Where records are printed: bytes gather in memory that is used again, and leave in large writes.</summary>
/// <remarks>Threading: one thread.</remarks>
internal sealed class RecordOutput(Stream output, RecordFormat format) : IDisposable
{
    private const int WriteBytes = 64 << 10;

    private readonly ArrayBufferWriter<byte> _buffer = new(2 * WriteBytes);

    public void Write(Confluent.Kafka.ConsumeResult<byte[]?, byte[]?> record)
    {
        format.Write(_buffer, record);
        if (_buffer.WrittenCount >= WriteBytes)
        {
            Flush();
        }
    }

    /// <summary>Hands over what has gathered: a reader of the output waits for nothing that was printed.</summary>
    public void Flush()
    {
        if (_buffer.WrittenCount > 0)
        {
            output.Write(_buffer.WrittenSpan);
            _buffer.ResetWrittenCount();
        }
    }

    public void Dispose() => output.Dispose();
}
