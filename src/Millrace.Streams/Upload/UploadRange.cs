using Millrace.Runtime;

namespace Millrace.Streams.Upload;

/// <summary>A stretch of one stream that is to be uploaded: consecutive records under one epoch, and what its owner keeps with them.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">The epoch they were appended under.</param>
/// <param name="StartOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive; equal to the start for a range that carries only a checkpoint.</param>
/// <param name="Records">In offset order, without a gap. Their payloads stay unchanged until the upload ends.</param>
/// <param name="Checkpoint">Empty if none.</param>
/// <param name="Annex">Empty if none.</param>
internal sealed record UploadRange(
    StreamId Stream, StreamEpoch Epoch, long StartOffset, long EndOffset, StreamRecord[] Records,
    ReadOnlyMemory<byte> Checkpoint, ReadOnlyMemory<byte> Annex)
{
    /// <summary>Payload bytes.</summary>
    public long Bytes { get; } = Records.Sum(record => (long)record.Payload.Length);
}
