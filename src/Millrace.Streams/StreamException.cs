namespace Millrace.Streams;

/// <summary>An operation on a stream failed; <see cref="Error"/> says what the caller may conclude.</summary>
public sealed class StreamException(StreamError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public StreamError Error => error;
}
