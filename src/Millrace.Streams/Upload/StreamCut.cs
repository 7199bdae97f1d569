using Millrace.Streams.Objects;

namespace Millrace.Streams.Upload;

/// <summary>One stream's part of an upload under way. Its records stay in the stream's log cache until it is released.</summary>
/// <param name="Stream">The stream it was cut from.</param>
/// <param name="Range">What is uploaded.</param>
/// <param name="LastPosition">The WAL position of its last record; -1 if it has none, and carries a checkpoint only.</param>
internal sealed record StreamCut(StreamUploads Stream, UploadRange Range, long LastPosition)
{
    public void Release() => Stream.Core.Leave();
}
