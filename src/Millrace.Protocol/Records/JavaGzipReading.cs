namespace Millrace.Protocol.Records;

/// <summary>
/// Follows how Kafka's clients in Java read gzip: GZIPInputStream with a buffer of 8 KiB looks for a further member only if
/// enough of it was read together with the end of the one before (JDK 17: more than 26 bytes, the trailer's 8 among them). A
/// member that begins too near to the buffer's end is never seen, and what it holds is lost to every consumer.
/// </summary>
internal struct JavaGzipReading(int length)
{
    private const int BufferSize = 8 * 1024;
    private const int MostThatIsIgnored = 26;

    // Where the bytes end that Java has read.
    private int _read;
    private int _contentEnd;

    /// <summary>False if Java does not see the member.</summary>
    public bool TryBeginMember(int at, int headerSize)
    {
        if (at > 0 && _read - _contentEnd <= MostThatIsIgnored)
        {
            return false;
        }

        // A header is read to its end, beyond the buffer if need be.
        _read = Math.Max(_read, at + headerSize);
        return true;
    }

    public void EndContent(int at)
    {
        _contentEnd = at;
        while (_read < at)
        {
            _read = Math.Min(length, _read + BufferSize);
        }
    }
}
