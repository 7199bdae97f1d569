namespace Millrace.Streams.Upload;

/// <summary>One upload, from its cut to the trimming of the WAL: what the next uploads of its streams wait for before they commit.</summary>
/// <param name="number">Rises from upload to upload.</param>
internal sealed class UploadUnderWay(long number)
{
    private volatile bool _hasEnded;

    public long Number => number;

    /// <summary>All that it does for its streams is done: set before those are told who are held up by it.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>Ends when it has, however it did. Set by whoever begins it, before anybody else knows of it.</summary>
    public Task Ended { get; set; } = Task.CompletedTask;

    public void End() => _hasEnded = true;
}
