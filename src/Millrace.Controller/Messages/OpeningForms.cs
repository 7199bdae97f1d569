using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Messages;

/// <summary>How a stream is open, as it is answered over the channel.</summary>
internal static class OpeningForms
{
    // What one opening gets of the ranges of an answer at most, so that those behind it get some, too.
    private const int MaxRanges = 1_000;

    /// <summary>How many ranges the next opening of an answer may have, where so many more have room in it.</summary>
    public static int RangesIn(int room) => Math.Min(room, MaxRanges);

    public static StreamOpsResponse.OpenResult ToMessage(StreamOpening opening) =>
        new()
        {
            StartOffset = opening.StartOffset,
            EndOffset = opening.EndOffset,
            Epochs =
            [
                .. opening.Epochs.Select(start => new StreamOpsResponse.OpenedEpoch { Epoch = start.Epoch.Value, StartOffset = start.StartOffset }),
            ],
            RangeCount = opening.RangeCount,
            Ranges = [.. opening.Ranges.Select(RangeForms.To<StreamOpsResponse.Range>)],
            Checkpoint = opening.CheckpointRange is { } range ? RangeForms.To<StreamOpsResponse.Range>(range) : null,
            Wal = WalName.ToNumber(opening.Wal),
        };

    public static StreamOpening From(StreamOpsResponse.OpenResult opened) =>
        new(
            opened.StartOffset,
            opened.EndOffset,
            [.. opened.Epochs.Select(start => new EpochStart(new StreamEpoch(start.Epoch), start.StartOffset))],
            opened.Checkpoint is { } range ? RangeForms.From(range) : null)
        {
            RangeCount = opened.RangeCount,
            Ranges = [.. opened.Ranges.Select(RangeForms.From)],
            Wal = WalName.FromNumber(opened.Wal),
        };
}
