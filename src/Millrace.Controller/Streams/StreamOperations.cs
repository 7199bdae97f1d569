using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Streams;

/// <summary>What owners ask of the stream registry, as decisions on a state: each checks its request and adds records.</summary>
internal static class StreamOperations
{
    /// <summary>Where a stream of no topic gets its id; partitions' streams come with their topic.</summary>
    public static StreamId Create(PendingEntry entry, NodeIncarnation node)
    {
        entry.RequireLive(node);
        return Create(entry, Guid.Empty, partition: 0);
    }

    public static StreamId Create(PendingEntry entry, Guid topic, int partition)
    {
        var stream = new StreamState(new StreamId(entry.Streams.NextStreamId), topic, partition);
        entry.Add(stream.ToRecord());
        return stream.Id;
    }

    /// <param name="entry">The entry that is being put together.</param>
    /// <param name="node">Who opens.</param>
    /// <param name="id">The stream.</param>
    /// <param name="epoch">The epoch that it opens at.</param>
    /// <param name="ranges">How many of the stream's ranges are told at most.</param>
    public static StreamOpening Open(PendingEntry entry, NodeIncarnation node, StreamId id, StreamEpoch epoch, int ranges = 0)
    {
        // The answer to the first call may have been lost; it is repeated as long as nothing was closed.
        if (FindOpening(entry.State, node, id, epoch, ranges) is { } opened)
        {
            return opened;
        }

        entry.RequireLive(node);
        var stream = Require(entry, id);
        if (stream.LastEpoch is { } last && last.Epoch >= epoch)
        {
            throw Fenced(id, epoch, $"it was opened at epoch {last.Epoch}");
        }

        RequireAssignment(entry, stream, node, epoch);
        if (stream.OpenRange is { } open)
        {
            throw new StreamException(
                StreamError.Incomplete,
                $"Stream {id} cannot be opened at epoch {epoch}: the range of epoch {open.Epoch} is neither closed by its owner "
                + $"(node {open.Owner.Node}, epoch {open.Owner.Epoch}) nor recovered from its WAL");
        }

        entry.Add(new StreamOpenedRecord
        {
            StreamId = id.Value,
            Epoch = epoch.Value,
            NodeId = node.Node.Value,
            NodeEpoch = node.Epoch.Value,
            Wal = WalName.ToNumber(ChooseWal(entry, stream.TopicId, node)),
        });
        return Opening(entry.Streams, entry.Streams.Streams[id], ranges);
    }

    /// <summary>
    /// How a stream is open in the name of a live incarnation at an epoch, be it by its own asking or since it was handed over to it. Null if it is not.
    /// </summary>
    public static StreamOpening? FindOpening(ClusterState state, NodeIncarnation node, StreamId id, StreamEpoch epoch, int ranges = 0) =>
        state.IsLive(node) && state.Streams.Find(id) is { OpenRange: { } open } stream && open.Epoch == epoch && open.Owner == node
            ? Opening(state.Streams, stream, ranges)
            : null;

    public static void Close(PendingEntry entry, NodeIncarnation node, StreamId id, StreamEpoch epoch, long endOffset)
    {
        entry.RequireLive(node);
        if (entry.Streams.Find(id) is null && id.Value < entry.Streams.NextStreamId)
        {
            // Deleted, and the owner hears of it by now: nothing is left to close.
            return;
        }

        var stream = Require(entry, id);
        if (stream.Epochs.Any(range => range.Epoch == epoch && range.Owner == node && range.EndOffset == endOffset)
            || (stream.LastEpoch?.Epoch > epoch && endOffset <= stream.CommittedEnd))
        {
            // The answer to the first call was lost; others may have opened it since, and then nothing is kept of a range that holds nothing any more. While
            // its owner lives, nobody else has ended it.
            return;
        }

        RequireOwner(stream, node, epoch);
        if (endOffset != stream.CommittedEnd)
        {
            throw new StreamException(
                StreamError.Incomplete, $"Stream {id} cannot be closed at {endOffset}: it is committed up to {stream.CommittedEnd}");
        }

        entry.Add(new StreamClosedRecord { StreamId = id.Value, Epoch = epoch.Value, EndOffset = endOffset });
    }

    /// <summary>
    /// Ends the open range of a stream, whoever's it was, where its commits end, or at the start offset if that lies higher: records below it were
    /// acknowledged and trimmed, and their offsets must not come back.
    /// </summary>
    public static void CloseWhereItEnds(PendingEntry entry, StreamId id)
    {
        var stream = entry.Streams.Streams[id];
        entry.Add(new StreamClosedRecord
        {
            StreamId = id.Value,
            Epoch = stream.OpenRange!.Value.Epoch.Value,
            EndOffset = Math.Max(stream.CommittedEnd, stream.StartOffset),
        });
    }

    public static void Trim(PendingEntry entry, NodeIncarnation node, StreamId id, StreamEpoch epoch, long startOffset)
    {
        entry.RequireLive(node);
        var stream = Require(entry, id);
        RequireOwner(stream, node, epoch);
        if (startOffset > stream.StartOffset)
        {
            entry.Add(new StreamTrimmedRecord { StreamId = id.Value, StartOffset = startOffset });
        }
    }

    /// <summary>
    /// Notes that records of an open range are missing, so that it is not taken for complete when the rest of its WAL is. A range that is
    /// not open (any more) in that name, or is in another's share of the WAL, is judged by somebody who knows better.
    /// </summary>
    public static void ReportDamage(PendingEntry entry, NodeIncarnation node, Guid? walId, StreamId id, StreamEpoch epoch)
    {
        entry.RequireLive(node);
        if (entry.Streams.Find(id) is { IsDamaged: false, OpenRange: { } open } stream && open.Epoch == epoch
            && (walId is not { } wal
                ? open.Owner == node
                : entry.Cluster.Wals.TryGetValue(wal, out var known) && known.Holds(open) && entry.State.IsPlannedTo(stream, node.Node)))
        {
            entry.Add(new StreamDamagedRecord { StreamId = id.Value, Epoch = epoch.Value });
        }
    }

    public static IReadOnlyList<ObjectRange> GetRanges(ClusterState state, StreamId id, long offset, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        return [.. state.Streams.RangesAfter(Require(state, id), offset).Take(limit)];
    }

    public static long? RecoverableEnd(ClusterState state, Guid walId, StreamId id, StreamEpoch epoch) =>
        state.Cluster.Wals.TryGetValue(walId, out var wal)
        && state.Streams.Find(id) is { OpenRange: { } open } stream
        && open.Epoch == epoch
        && wal.Holds(open)
            ? stream.CommittedEnd
            : null;

    /// <summary>In which WAL of an incarnation a topic's stream lies that it opens now. A range stays there: a stream changes its WAL with its epoch.</summary>
    public static WalKind? ChooseWal(PendingEntry entry, Guid topicId, NodeIncarnation node)
    {
        var wanted = entry.Cluster.TryGetTopic(topicId, out var topic) ? topic.Configs.GetValueOrDefault(TopicConfigs.Wal) : null;
        return (WalKind?)entry.Cluster.ChooseWal(node.Node, node.Epoch, (byte?)WalKindName.Find(wanted));
    }

    private static StreamOpening Opening(StreamImage streams, StreamState stream, int ranges) =>
        new(stream.StartOffset, stream.CommittedEnd, stream.EpochStarts(), streams.CheckpointOf(stream))
        {
            Wal = stream.OpenRange?.Wal,
            RangeCount = stream.Ranges.Count,
            Ranges = [.. streams.RangesAfter(stream, stream.StartOffset).Take(ranges)],
        };

    private static StreamState Require(PendingEntry entry, StreamId id) => Require(entry.State, id);

    private static StreamState Require(ClusterState state, StreamId id) =>
        state.Streams.Find(id) ?? throw new StreamException(StreamError.Unknown, $"There is no stream {id}");

    /// <summary>A partition's stream opens only for the partition's leader, at the leader's epoch.</summary>
    private static void RequireAssignment(PendingEntry entry, StreamState stream, NodeIncarnation node, StreamEpoch epoch)
    {
        if (stream.TopicId == Guid.Empty)
        {
            return;
        }

        Invariant.Check(entry.Cluster.TryGetTopic(stream.TopicId, out var topic));
        var partition = topic.Partitions[stream.Partition];
        if (partition.Leader != node.Node || partition.Epoch != epoch)
        {
            throw Fenced(
                stream.Id,
                epoch,
                $"{topic.Name}-{partition.Index} is assigned to {(partition.Leader is { } leader ? $"node {leader}" : "no node")} at epoch {partition.Epoch}");
        }
    }

    private static void RequireOwner(StreamState stream, NodeIncarnation node, StreamEpoch epoch)
    {
        if (stream.OpenRange is not { } open || open.Epoch != epoch || open.Owner != node)
        {
            throw Fenced(stream.Id, epoch, "its range is not open for this owner");
        }
    }

    private static StreamException Fenced(StreamId id, StreamEpoch epoch, string reason) =>
        new(StreamError.Fenced, $"Stream {id} is not owned at epoch {epoch}: {reason}");
}
