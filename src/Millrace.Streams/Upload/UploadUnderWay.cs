namespace Millrace.Streams.Upload;

/// <summary>One upload, from its cut to the trimming of the WAL.</summary>
/// <param name="number">Rises from upload to upload.</param>
internal sealed class UploadUnderWay(long number)
{
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Number => number;

    /// <summary>
    /// Ends when its streams know what became of it, and so do those of the upload before, however it went: the next uploads of its streams wait for that
    /// before they commit. What the WAL gives up afterwards is no concern of theirs.
    /// </summary>
    public Task Settled => _settled.Task;

    /// <summary>Ends when all of it has. Set by whoever begins it, before anybody else knows of it.</summary>
    public Task Ended { get; set; } = Task.CompletedTask;

    /// <summary>May be called again.</summary>
    public void Settle() => _settled.TrySetResult();
}
