using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Objects;

/// <summary>A stretch of one stream that is to be uploaded: consecutive records under one epoch, and what its owner keeps with them.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">The epoch they were appended under.</param>
/// <param name="StartOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive; equal to the start for a range that carries only a checkpoint.</param>
/// <param name="Records">In offset order, without a gap. Their payloads stay unchanged until the upload ends.</param>
/// <param name="Checkpoint">Empty if none.</param>
/// <param name="Annex">Empty if none.</param>
internal sealed record UploadRange(
    StreamId Stream, StreamEpoch Epoch, long StartOffset, long EndOffset, IReadOnlyCollection<StreamRecord> Records,
    ReadOnlyMemory<byte> Checkpoint, ReadOnlyMemory<byte> Annex)
{
    /// <summary>Payload bytes.</summary>
    public long Bytes { get; } = Records.Sum(record => (long)record.Payload.Length);

    /// <summary>
    /// Asked when it is about to be committed: the closing that goes along, or null if the stream goes on by then. Null where it goes on anyway.
    /// </summary>
    public Func<StreamClose?>? Closing { get; init; }

    /// <summary>
    /// Ends when its records are durable where they come from, as they are if nothing else is said: it is not committed before. Fails where they never will be.
    /// </summary>
    public Task Durable { get; init; } = Task.CompletedTask;

    /// <summary>Two ranges in its place, of which the second keeps the checkpoint and the closing; null if it cannot be taken apart: an annex cannot.</summary>
    public (UploadRange First, UploadRange Second)? Split()
    {
        if (Records.Count < 2 || !Annex.IsEmpty)
        {
            return null;
        }

        var half = Records.Count / 2;
        var first = new RecordSlice(Records, 0, half);
        var middle = first.Last().EndOffset;
        return (
            new UploadRange(Stream, Epoch, StartOffset, middle, first, default, default) { Durable = Durable },
            new UploadRange(Stream, Epoch, middle, EndOffset, new RecordSlice(Records, half, Records.Count - half), Checkpoint, default)
            {
                Closing = Closing,
                Durable = Durable,
            });
    }
}
