namespace Millrace.Streams.Cache;

/// <summary>A place in a log cache, from which records can be walked in the order of their offsets.</summary>
/// <remarks>
/// Valid until what it stands at is dropped. Walking needs the stream's lock only where it may meet the newest record: what lies before
/// that changes no more.
/// </remarks>
internal struct LogCursor(LogChunk? chunk, int index)
{
    private LogChunk? _chunk = chunk;
    private int _index = index;

    /// <summary>False behind the last record.</summary>
    public readonly bool IsAtRecord => _chunk is not null && _index < _chunk.End;

    public readonly ref readonly CachedRecord Record => ref _chunk!.Records[_index];

    public void MoveNext()
    {
        if (++_index == _chunk!.Records.Length && _chunk.Next is { } next)
        {
            (_chunk, _index) = (next, next.Start);
        }
    }
}
