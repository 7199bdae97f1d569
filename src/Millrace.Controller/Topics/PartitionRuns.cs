using Millrace.Metadata;
using Millrace.Protocol.Messages;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>Partitions of one topic and whose they are, as its records have them: runs of those with the same node, in the order of their numbers.</summary>
internal sealed class PartitionRuns
{
    private readonly List<(int First, int Count, int Node)> _runs = [];

    public bool IsEmpty => _runs.Count == 0;

    /// <summary>Adds one record for each topic of some partitions.</summary>
    public static void Record(
        PendingEntry entry, SortedDictionary<(Guid Topic, int Partition), NodeId> partitions, Func<PartitionRuns, Guid, IRecord> toRecord)
    {
        foreach (var topic in partitions.GroupBy(partition => partition.Key.Topic))
        {
            var runs = new PartitionRuns();
            foreach (var (partition, node) in topic)
            {
                runs.Add(partition.Partition, node.Value);
            }

            entry.Add(toRecord(runs, topic.Key));
        }
    }

    /// <param name="partition">Above all before it.</param>
    /// <param name="node">-1 for none.</param>
    public void Add(int partition, int node)
    {
        if (_runs is [.., var last] && last.Node == node && last.First + last.Count == partition)
        {
            _runs[^1] = last with { Count = last.Count + 1 };
        }
        else
        {
            _runs.Add((partition, 1, node));
        }
    }

    public PartitionLeadersRecord ToLeaders(Guid topic) =>
        new()
        {
            TopicId = topic,
            Ranges =
            [
                .. _runs.Select(run => new PartitionLeadersRecord.LeaderRange { First = run.First, Count = run.Count, Leader = run.Node }),
            ],
        };

    public PartitionPlansRecord ToPlans(Guid topic) =>
        new()
        {
            TopicId = topic,
            Ranges = [.. _runs.Select(run => new PartitionPlansRecord.PlanRange { First = run.First, Count = run.Count, PlannedTo = run.Node })],
        };
}
