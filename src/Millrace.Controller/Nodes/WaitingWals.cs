using Millrace.Controller.State;
using Millrace.Controller.Streams;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Nodes;

/// <summary>What becomes of the WALs of fenced incarnations, share by share, as decisions on a state.</summary>
internal static class WaitingWals
{
    /// <summary>What a node has to bring, by WAL, the oldest incarnation's first.</summary>
    public static IReadOnlyList<WalShare> SharesOf(ClusterState state, NodeIncarnation node)
    {
        state.RequireLive(node);
        var shares = new List<WalShare>();
        foreach (var wal in WalRetirement.WaitingIn(state))
        {
            ShareRange[] ranges =
            [
                .. WalRetirement.StreamsIn(state, wal)
                    .Select(id => state.Streams.Streams[id])
                    .Where(stream => state.IsPlannedTo(stream, node.Node))
                    .Select(stream => new ShareRange(stream.Id, stream.OpenRange!.Value.Epoch, stream.CommittedEnd)),
            ];
            if (ranges.Length > 0)
            {
                shares.Add(new WalShare(wal.Id, ranges));
            }
        }

        return shares;
    }

    /// <summary>
    /// Plans all that waits for a WAL to a node that has fenced it, and so has it at hand, though nobody who lives was expected to: if the one that wrote it
    /// is away. The file of a broker that comes again under another name is found so.
    /// </summary>
    public static void Claim(PendingEntry entry, NodeIncarnation node, Guid walId)
    {
        entry.RequireLive(node);
        if (FindWaiting(entry, walId) is not { } wal || !wal.IsOrphanIn(entry.Cluster))
        {
            return;
        }

        var claimed = new SortedDictionary<(Guid Topic, int Partition), NodeId>();
        foreach (var stream in WalRetirement.StreamsIn(entry.State, wal).Select(id => entry.Streams.Streams[id]))
        {
            if (entry.Cluster.FindPartition(stream.TopicId, stream.Partition) is { Leader: null } partition && partition.PlannedTo != node.Node)
            {
                claimed.Add((stream.TopicId, stream.Partition), node.Node);
            }
        }

        PartitionRuns.Record(entry, claimed, static (runs, topic) => runs.ToPlans(topic));
    }

    /// <summary>
    /// Closes the ranges of a share that was recovered where they end, and lets the recoverer lead their partitions. Only what is named was recovered: what
    /// has come to the share since waits on, and what has left it, or is another's, is passed over; so is what was read further than it is committed. While
    /// streams are damaged the WAL is kept, for them and for whoever looks into it; when nothing waits for it any more it is retired.
    /// </summary>
    public static ShareCompletion Complete(PendingEntry entry, NodeIncarnation node, WalShare share)
    {
        entry.RequireLive(node);
        if (FindWaiting(entry, share.WalId) is not { } wal)
        {
            return new ShareCompletion([], [], IsRetired: entry.Cluster.Wals.ContainsKey(share.WalId));
        }

        var (damaged, uncommitted) = (new List<StreamId>(), new List<StreamId>());
        var led = new SortedDictionary<(Guid Topic, int Partition), NodeId>();
        foreach (var range in share.Ranges)
        {
            if (entry.Streams.Find(range.Stream) is not { OpenRange: { } open } stream
                || open.Epoch != range.Epoch || !wal.Holds(open) || !entry.State.IsPlannedTo(stream, node.Node))
            {
                continue;
            }

            if (stream.IsDamaged)
            {
                damaged.Add(stream.Id);
                continue;
            }

            if (Math.Max(stream.CommittedEnd, stream.StartOffset) < range.EndOffset)
            {
                // Something has come between its upload and this, that nobody thought of: what was acknowledged is still in the WAL.
                uncommitted.Add(stream.Id);
                continue;
            }

            StreamOperations.CloseWhereItEnds(entry, stream.Id);
            if (stream.TopicId != Guid.Empty)
            {
                led.Add((stream.TopicId, stream.Partition), node.Node);
            }
        }

        Lead(entry, led);
        WalRetirement.RetireUnneeded(entry);
        return new ShareCompletion(damaged, uncommitted, IsRetired: entry.Cluster.Wals[wal.Id].State == WalState.Retired);
    }

    /// <summary>
    /// Gives up what a lost WAL may hold: of the streams named, or of all (null), which also ends the wait for the WAL itself.
    /// Records that were acknowledged may be lost, and their offsets are given out again.
    /// </summary>
    /// <returns>The streams that were given up.</returns>
    public static IReadOnlyList<WaitingStream> AcceptLoss(PendingEntry entry, Guid walId, IReadOnlySet<StreamId>? streams)
    {
        if (FindWaiting(entry, walId) is not { } wal)
        {
            return [];
        }

        var lost = WaitingFor(entry.State, wal).Where(waiting => streams is null || streams.Contains(waiting.Stream)).ToArray();
        foreach (var waiting in lost)
        {
            StreamOperations.CloseWhereItEnds(entry, waiting.Stream);
        }

        if (streams is null || WalRetirement.StreamsIn(entry.State, wal).Count == 0)
        {
            entry.Add(new WalRemovedRecord { WalId = walId });
        }

        var led = new SortedDictionary<(Guid Topic, int Partition), NodeId>();
        foreach (var stream in lost.Select(waiting => entry.Streams.Streams[waiting.Stream]))
        {
            if (entry.Cluster.FindPartition(stream.TopicId, stream.Partition) is { PlannedTo: { } survivor } && entry.Cluster.IsLive(survivor))
            {
                led.Add((stream.TopicId, stream.Partition), survivor);
            }
        }

        Lead(entry, led);
        Succession.Plan(entry);
        return lost;
    }

    /// <summary>The WALs that wait for recovery, by the age of their incarnation, and what waits for them.</summary>
    public static IReadOnlyList<WaitingWal> Waiting(ClusterState state) =>
        [
            .. WalRetirement.WaitingIn(state).Select(wal => new WaitingWal(WalOperations.Describe(wal), WaitingFor(state, wal))),
        ];

    private static void Lead(PendingEntry entry, SortedDictionary<(Guid Topic, int Partition), NodeId> led) =>
        PartitionRuns.Record(entry, led, static (runs, topic) => runs.ToLeaders(topic));

    private static WalImage? FindWaiting(PendingEntry entry, Guid walId)
    {
        if (!entry.Cluster.Wals.TryGetValue(walId, out var wal) || wal.State == WalState.Retired)
        {
            // Recovered before, and the answer was lost.
            return null;
        }

        return wal.State == WalState.AwaitsRecovery
            ? wal
            : throw new StreamException(
                StreamError.Incomplete, $"WAL {walId} belongs to node {wal.Node}, epoch {wal.Epoch}, which is not fenced");
    }

    private static WaitingStream[] WaitingFor(ClusterState state, WalImage wal) =>
        [
            .. WalRetirement.StreamsIn(state, wal)
                .Select(id => state.Streams.Streams[id])
                .Select(stream => new WaitingStream(stream.Id, state.Cluster.NameOf(stream.TopicId), stream.Partition)
                {
                    PlannedTo = state.Cluster.FindPartition(stream.TopicId, stream.Partition)?.PlannedTo,
                    IsDamaged = stream.IsDamaged,
                })
                .OrderBy(waiting => waiting.Topic, StringComparer.Ordinal)
                .ThenBy(waiting => waiting.Partition)
                .ThenBy(waiting => waiting.Stream),
        ];
}
