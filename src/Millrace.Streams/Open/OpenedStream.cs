using Millrace.Streams.Registry;

namespace Millrace.Streams.Open;

/// <summary>Everything that is known of a stream when it begins to serve.</summary>
/// <param name="Opening">What the registry said.</param>
/// <param name="Ranges">Where its records lie.</param>
/// <param name="Checkpoint">Its owner's newest state; the owner replays the records behind it.</param>
internal readonly record struct OpenedStream(StreamOpening Opening, IReadOnlyList<ObjectRange> Ranges, StreamCheckpoint? Checkpoint)
{
    /// <summary>Payload bytes behind the checkpoint.</summary>
    public long ReplayedBytes
    {
        get
        {
            var from = Checkpoint?.Offset ?? 0;
            return Ranges.Where(range => range.EndOffset > from).Sum(range => range.Bytes);
        }
    }
}
