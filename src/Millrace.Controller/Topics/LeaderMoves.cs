using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>Who is to lead partitions of one topic, that are led, from now on.</summary>
/// <remarks>
/// The present leader hands over what it has open, when nothing of it is missing in the bucket: until then it leads, and the plan says who is next. What it
/// has not opened has nothing to hand over, and is the other's at once.
/// </remarks>
internal sealed class LeaderMoves(PendingEntry entry, TopicImage topic)
{
    private readonly PartitionRuns _led = new();
    private readonly PartitionRuns _planned = new();

    /// <param name="partition">It has a leader. Above all before it.</param>
    /// <param name="next">A live node; the present leader, or null, for a partition that is to stay where it is.</param>
    public void Add(PartitionImage partition, NodeId? next)
    {
        var goal = next == partition.Leader ? null : next;
        if (goal is { } other && entry.Streams.Streams[partition.Stream].OpenRange is null)
        {
            _led.Add(partition.Index, other.Value);
        }
        else if (goal != partition.PlannedTo)
        {
            _planned.Add(partition.Index, goal?.Value ?? -1);
        }
    }

    /// <summary>Adds the records.</summary>
    public void Record()
    {
        if (!_led.IsEmpty)
        {
            entry.Add(_led.ToLeaders(topic.Id));
        }

        if (!_planned.IsEmpty)
        {
            entry.Add(_planned.ToPlans(topic.Id));
        }
    }
}
