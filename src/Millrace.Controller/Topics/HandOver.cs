using Millrace.Controller.State;
using Millrace.Controller.Streams;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Topics;

/// <summary>
/// The last step of a move: whoever closed a partition's stream to hand it over is followed, in the very entry that closes it, by the next leader, and the
/// stream is open in that one's name. There is no state in which the former leader is done and nobody leads, and none in which another leads before all that
/// was acknowledged is committed; and the next leader only has to ask how its stream is open. One whose WAL might not be there to be read opens it by an
/// entry of its own.
/// </summary>
internal static class HandOver
{
    /// <summary>
    /// Appoints the next leaders of those partitions whose streams are closed at their leader's epoch: the node that each is planned to, which lives, since its
    /// plan would have ended with it; or the sender again, if the plan has ended meanwhile, or there was none since only the WAL changes. What was refused, or
    /// handed over before, is left as it is.
    /// </summary>
    public static void Appoint(PendingEntry entry, NodeIncarnation node, IEnumerable<StreamOpsRequest.Close> closed)
    {
        var led = new SortedDictionary<(Guid Topic, int Partition), NodeId>();
        var isGivenBack = false;
        foreach (var close in closed)
        {
            if (entry.Streams.Find(new StreamId(close.StreamId)) is { LastEpoch: { IsOpen: false } last } stream
                && last.Owner == node && last.Epoch.Value == close.Epoch
                && entry.Cluster.FindPartition(stream.TopicId, stream.Partition) is { } partition
                && partition.Leader == node.Node && partition.Epoch == last.Epoch)
            {
                led[(stream.TopicId, stream.Partition)] = partition.PlannedTo ?? node.Node;
                isGivenBack |= partition.PlannedTo is null;
            }
        }

        PartitionRuns.Record(entry, led, static (runs, topic) => runs.ToLeaders(topic));
        if (isGivenBack)
        {
            Evacuation.PlanDrained(entry);
        }

        // Last: what was given back to a node that is drained has another leader by now.
        Open(entry, node, led.Keys);
    }

    private static void Open(PendingEntry entry, NodeIncarnation sender, IEnumerable<(Guid Topic, int Partition)> appointed)
    {
        var ready = new Dictionary<(NodeIncarnation Owner, WalKind? Wal), bool>();
        foreach (var (topic, index) in appointed)
        {
            var partition = entry.Cluster.FindPartition(topic, index)!;
            var leader = partition.Leader!.Value;
            var owner = new NodeIncarnation(leader, entry.Cluster.Nodes[leader].Epoch);
            var wal = StreamOperations.ChooseWal(entry, topic, owner);
            if (!ready.TryGetValue((owner, wal), out var isReady))
            {
                ready.Add((owner, wal), isReady = owner == sender || IsReady(entry, owner, wal));
            }

            if (isReady)
            {
                StreamOperations.Open(entry, owner, partition.Stream, partition.Epoch);
            }
        }
    }

    /// <summary>
    /// Whether a stream may be opened in the name of an incarnation, in one of its WALs, though it has not asked. Should it be gone before it does, that WAL is
    /// read for the stream, so that it must be there. One in the store is, once it is registered. A file or a ring is made after that, and before its writer
    /// opens anything; and nobody opens the first range in one but its writer. So where a range lies in any of its files or rings, all are made. The sender has
    /// served, and so has made all of its own. Where it may not, the next leader opens by an entry of its own.
    /// </summary>
    private static bool IsReady(PendingEntry entry, NodeIncarnation owner, WalKind? name) =>
        entry.IsLive(owner)
        && entry.Cluster.WalsOf(owner.Node, owner.Epoch).FirstOrDefault(wal => WalName.Of(wal) == name) is { } wal
        && (WalKind)wal.Kind is var kind
        && (kind.IsOfAll() || (kind is WalKind.File or WalKind.Block && HasMadeAll(entry, owner)));

    private static bool HasMadeAll(PendingEntry entry, NodeIncarnation owner) =>
        entry.Cluster.WalsOf(owner.Node, owner.Epoch)
            .Any(wal => !((WalKind)wal.Kind).IsOfAll() && WalRetirement.StreamsIn(entry.State, wal).Count > 0);
}
