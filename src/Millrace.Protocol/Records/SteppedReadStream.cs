namespace Millrace.Protocol.Records;

/// <summary>
/// Lets a stream decoder read memory that is no array, without a copy of it, and tells how much it needed: up to a place it is
/// given as much as it asks for, from there on a byte at a time. A decoder that ended there has used all that it was given.
/// </summary>
/// <param name="memory">What is read.</param>
/// <param name="steps">Where the single bytes begin.</param>
internal sealed class SteppedReadStream(ReadOnlyMemory<byte> memory, int steps) : Stream
{
    private int _position;

    /// <summary>Where the latest part that was given begins.</summary>
    public int LatestAt { get; private set; }

    /// <summary>The decoder has asked for more than there is.</summary>
    public bool HasRunOut { get; private set; }

    /// <summary>What was given ended in a single byte: the position is exactly what the decoder needed.</summary>
    public bool IsExact => _position > steps;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => memory.Length;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        var most = _position < steps ? steps - _position : Math.Min(1, memory.Length - _position);
        var part = memory.Span.Slice(_position, Math.Min(buffer.Length, most));
        HasRunOut |= most == 0;
        LatestAt = _position;
        part.CopyTo(buffer);
        _position += part.Length;
        return part.Length;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
