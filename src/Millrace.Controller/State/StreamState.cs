using System.Collections.Immutable;
using Millrace.Metadata;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <summary>What the controller knows of a stream.</summary>
/// <param name="Id">The stream.</param>
/// <param name="TopicId">The topic whose partition it is; zero for a stream of no topic.</param>
/// <param name="Partition">The partition's number in the topic.</param>
internal sealed record StreamState(StreamId Id, Guid TopicId, int Partition)
{
    /// <summary>The lowest offset that may be read. May lie above the committed end: what is below it is then still in a WAL.</summary>
    public long StartOffset { get; init; }

    /// <summary>Everything below is in objects, or was trimmed.</summary>
    public long CommittedEnd { get; init; }

    /// <summary>In order; only the last may be open. Closed ones that are empty or trimmed away are forgotten, but never the last.</summary>
    public ImmutableArray<EpochRange> Epochs { get; init; } = [];

    /// <summary>Where the data lies.</summary>
    public StreamRanges Ranges { get; init; } = StreamRanges.Empty;

    public StreamCheckpoint? Checkpoint { get; init; }

    /// <summary>The open range lacks records that were acknowledged: it is complete only when an operator accepts that.</summary>
    public bool IsDamaged { get; init; }

    public EpochRange? LastEpoch => Epochs.IsEmpty ? null : Epochs[^1];

    /// <summary>The open range, or null: then the stream is complete and may be opened at a higher epoch.</summary>
    public EpochRange? OpenRange => LastEpoch is { IsOpen: true } last ? last : null;

    public IReadOnlyList<EpochStart> EpochStarts() => [.. Epochs.Select(range => new EpochStart(range.Epoch, range.StartOffset))];

    /// <summary>The epoch whose owner appended what lies at an offset that a range begins at.</summary>
    public StreamEpoch EpochAt(long offset)
    {
        for (var i = Epochs.Length - 1; i >= 0; i--)
        {
            if (Epochs[i].StartOffset <= offset)
            {
                return Epochs[i].Epoch;
            }
        }

        throw new InvariantViolationException($"Stream {Id} has a range at {offset}, and no epoch of that");
    }

    public StreamState Open(StreamEpoch epoch, NodeIncarnation owner, WalKind? wal)
    {
        Invariant.Check(OpenRange is null && (LastEpoch is null || LastEpoch.Value.Epoch < epoch));
        return (this with { Epochs = Epochs.Add(new EpochRange(epoch, CommittedEnd, null, owner, wal)) }).Forget();
    }

    /// <summary>The end lies above the committed end only where a loss was accepted and the records below the start went with it.</summary>
    public StreamState Close(StreamEpoch epoch, long endOffset)
    {
        var last = LastEpoch;
        Invariant.Check(last is { IsOpen: true } && last.Value.Epoch == epoch && endOffset >= CommittedEnd);
        return this with { CommittedEnd = endOffset, IsDamaged = false, Epochs = Epochs.SetItem(Epochs.Length - 1, last.Value with { EndOffset = endOffset }) };
    }

    public StreamState Damage(StreamEpoch epoch)
    {
        Invariant.Check(OpenRange?.Epoch == epoch);
        return this with { IsDamaged = true };
    }

    public StreamState Trim(long startOffset)
    {
        Invariant.Check(startOffset > StartOffset);
        return (this with { StartOffset = startOffset }).Forget();
    }

    public StreamState Commit(RangeState range)
    {
        // In the open epoch, or (recovering) the one that is about to be closed: nothing is ever committed to a closed one.
        Invariant.Check(OpenRange is not null && range.StartOffset == CommittedEnd && range.EndOffset >= range.StartOffset);
        return this with
        {
            CommittedEnd = range.EndOffset,
            Ranges = range.EndOffset > range.StartOffset && range.EndOffset > StartOffset ? Ranges.Add(range) : Ranges,
            Checkpoint = range.HasCheckpoint ? new StreamCheckpoint(OpenRange.Value.Epoch, range) : Checkpoint,
        };
    }

    /// <summary>The records of ranges that follow one another, and with them perhaps the newest checkpoint, lie elsewhere from now on.</summary>
    /// <param name="range">Where; empty if it is the checkpoint alone.</param>
    public StreamState Replace(RangeState range)
    {
        Invariant.Check(!range.HasCheckpoint || Checkpoint?.Range.EndOffset == range.EndOffset);
        return this with
        {
            Ranges = range.EndOffset > range.StartOffset ? Ranges.Replace(range) : Ranges,
            Checkpoint = range.HasCheckpoint ? Checkpoint! with { Range = range } : Checkpoint,
        };
    }

    public StreamStateRecord ToRecord() =>
        new()
        {
            StreamId = Id.Value,
            TopicId = TopicId,
            Partition = Partition,
            StartOffset = StartOffset,
            CommittedEnd = CommittedEnd,
            IsDamaged = IsDamaged,
            Epochs =
            [
                .. Epochs.Select(range => new StreamStateRecord.StreamEpoch
                {
                    Epoch = range.Epoch.Value,
                    StartOffset = range.StartOffset,
                    EndOffset = range.EndOffset ?? -1,
                    NodeId = range.Owner.Node.Value,
                    NodeEpoch = range.Owner.Epoch.Value,
                    Wal = WalName.ToNumber(range.Wal),
                }),
            ],
        };

    public static StreamState From(StreamStateRecord record) =>
        new(new StreamId(record.StreamId), record.TopicId, record.Partition)
        {
            StartOffset = record.StartOffset,
            CommittedEnd = record.CommittedEnd,
            IsDamaged = record.IsDamaged,
            Epochs =
            [
                .. record.Epochs.Select(range => new EpochRange(
                    new StreamEpoch(range.Epoch),
                    range.StartOffset,
                    range.EndOffset < 0 ? null : range.EndOffset,
                    new NodeIncarnation(new NodeId(range.NodeId), new NodeEpoch(range.NodeEpoch)),
                    WalName.FromNumber(range.Wal))),
            ],
        };

    /// <summary>Drops what nobody can ask for any more, so that a stream does not grow with every restart of its owner.</summary>
    private StreamState Forget()
    {
        var last = Epochs.Length - 1;
        var start = StartOffset;
        return this with
        {
            Ranges = Ranges.From(StartOffset),
            Epochs = Epochs.RemoveAll(range =>
                range.EndOffset is { } end && (end <= start || end == range.StartOffset) && range.Epoch != Epochs[last].Epoch),
        };
    }
}
