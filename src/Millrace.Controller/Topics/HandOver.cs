using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Topics;

/// <summary>
/// The last step of a move: whoever closed a partition's stream to hand it over is followed, in the very entry that closes it, by the next leader. There is
/// no state in which the former leader is done and nobody leads, and none in which another leads before all that was acknowledged is committed.
/// </summary>
internal static class HandOver
{
    /// <summary>
    /// Appoints the next leaders of those partitions whose streams are closed at their leader's epoch: the node that each is planned to, which lives, since its
    /// plan would have ended with it; or the sender again, if the plan has ended meanwhile. What was refused, or handed over before, is left as it is.
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
    }
}
