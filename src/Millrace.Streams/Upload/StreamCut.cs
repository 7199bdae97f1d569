using Millrace.Runtime;

namespace Millrace.Streams.Upload;

/// <summary>One stream's part of an upload under way. Holds the memory of its records.</summary>
/// <param name="Stream">The stream it was cut from.</param>
/// <param name="Range">What is uploaded.</param>
/// <param name="LastPosition">The WAL position of its last record; -1 if it has none, and carries a checkpoint only.</param>
/// <param name="Holds">The buffers of its records.</param>
internal sealed record StreamCut(Stream Stream, UploadRange Range, long LastPosition, PooledBuffer[] Holds)
{
    public void Release()
    {
        foreach (var hold in Holds)
        {
            hold.Release();
        }
    }
}
