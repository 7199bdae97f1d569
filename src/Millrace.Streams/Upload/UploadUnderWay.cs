namespace Millrace.Streams.Upload;

/// <summary>One upload, from its cut to the trimming of the WAL: what the next uploads of its streams wait for before they commit.</summary>
/// <param name="number">Rises from upload to upload.</param>
internal sealed class UploadUnderWay(long number)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Number => number;

    /// <summary>Ends when it has, however it did; never fails.</summary>
    public Task Ended => _ended.Task;

    public void End() => _ended.SetResult();
}
