namespace Millrace.Streams.State;

/// <summary>Who keeps a stream: hears when it ends here.</summary>
/// <remarks>Called by any thread, without the stream's lock.</remarks>
internal interface IStreamHost
{
    /// <summary>It was closed: its range is closed in the registry, and every record of it is committed.</summary>
    void OnClosed(StreamCore stream);

    /// <summary>
    /// It was lost, before its owner hears of it. What it had not uploaded the WAL has to keep: see
    /// <see cref="StreamCore.OldestNeededPosition"/>.
    /// </summary>
    void OnLost(StreamCore stream, StreamException reason);
}
