using Millrace.Metadata;

namespace Millrace.Controller.Topics;

/// <summary>Partitions of one topic and whose they are, as its records have them: runs of those with the same node, in the order of their numbers.</summary>
internal sealed class PartitionRuns
{
    private readonly List<(int First, int Count, int Node)> _runs = [];

    public bool IsEmpty => _runs.Count == 0;

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
