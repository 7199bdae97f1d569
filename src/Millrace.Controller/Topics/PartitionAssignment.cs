using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Topics;

/// <summary>Who leads which partition.</summary>
internal static class PartitionAssignment
{
    /// <summary>
    /// Gives every partition that has no leader, and whose stream is complete, to a live node, at a higher epoch. Those whose stream
    /// still waits for a WAL stay without.
    /// </summary>
    /// <returns>How many were given.</returns>
    public static int AssignAll(PendingEntry entry, NodeIncarnation requester)
    {
        entry.RequireLive(requester);
        return AssignAll(entry);
    }

    /// <inheritdoc cref="AssignAll(PendingEntry, NodeIncarnation)"/>
    /// <remarks>Nothing happens while no node lives.</remarks>
    public static int AssignAll(PendingEntry entry)
    {
        var live = Live(entry.Cluster);
        if (live.Length == 0)
        {
            return 0;
        }

        var assigned = 0;
        foreach (var topic in entry.Cluster.Topics.Values)
        {
            var ranges = new List<PartitionLeadersRecord.LeaderRange>();
            foreach (var partition in topic.Partitions)
            {
                if (partition.Leader is null && entry.Streams.Streams[partition.Stream].OpenRange is null)
                {
                    Add(ranges, partition.Index, ChooseLeader(partition.Replicas, live, partition.Index).Value);
                    assigned++;
                }
            }

            if (ranges.Count > 0)
            {
                entry.Add(new PartitionLeadersRecord { TopicId = topic.Id, Ranges = ranges });
            }
        }

        return assigned;
    }

    /// <summary>Without a live broker nothing can be led, and so nothing is created.</summary>
    public static Refusal? RefuseWithoutBroker(PendingEntry entry) =>
        entry.Cluster.LiveNodes.Any() ? null : new Refusal(ErrorCode.InvalidReplicationFactor, "No broker is registered.");

    /// <summary>The first replica that is alive; if none is, any live node, since the data lies in shared storage.</summary>
    public static NodeId ChooseLeader(IReadOnlyList<NodeId> replicas, IReadOnlyList<NodeId> live, int partition)
    {
        Invariant.Check(live.Count > 0);
        foreach (var replica in replicas)
        {
            if (live.Contains(replica))
            {
                return replica;
            }
        }

        return live[partition % live.Count];
    }

    public static NodeId[] Live(MetadataImage cluster) => [.. cluster.LiveNodes.Select(node => node.Id)];

    private static void Add(List<PartitionLeadersRecord.LeaderRange> ranges, int partition, int leader)
    {
        if (ranges is [.., var last] && last.Leader == leader && last.First + last.Count == partition)
        {
            last.Count++;
        }
        else
        {
            ranges.Add(new PartitionLeadersRecord.LeaderRange { First = partition, Count = 1, Leader = leader });
        }
    }
}
