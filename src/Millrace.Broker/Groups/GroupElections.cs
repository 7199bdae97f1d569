using Millrace.Broker.Partitions;
using Millrace.Coordination.Groups;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Groups;

/// <summary>
/// Follows the cluster's image for the group coordinator: brings it the partitions of <c>__consumer_offsets</c> that this node
/// leads, takes them away, and tells it of topics that were deleted.
/// </summary>
/// <remarks>Threading: image changes come one at a time.</remarks>
internal sealed class GroupElections(
    NodeRuntime runtime, NodeId self, IMetadataFeed feed, PartitionTable partitions, GroupCoordinator groups, WarmCoordinators warm, BufferPool buffers)
    : IDisposable
{
    private readonly SortedDictionary<int, int> _led = [];
    private IDisposable? _subscription;

    /// <summary>Call once, when the partition table has begun to follow the image: it must hear of every change before this does.</summary>
    public void Start() => _subscription = feed.Subscribe(Apply);

    /// <summary>The coordinator serves no group any more: requests that wait in it are answered so.</summary>
    public void Dispose()
    {
        _subscription?.Dispose();
        ResignAll();
    }

    private void Apply(MetadataDelta delta)
    {
        foreach (var topic in delta.DeletedTopics)
        {
            if (topic.Name == GroupCoordinator.TopicName)
            {
                ResignAll();
                groups.PartitionCount = 0;
            }
            else
            {
                _ = runtime.Spawn($"forget offsets of {topic.Name}", token => groups.RemoveTopicAsync(topic.Name, topic.Id, token));
            }
        }

        foreach (var topic in delta.ChangedTopics)
        {
            if (topic.Name == GroupCoordinator.TopicName)
            {
                Apply(topic);
            }
        }
    }

    private void Apply(TopicImage topic)
    {
        if (groups.PartitionCount == 0)
        {
            // Partitions that are added later get no groups: the groups there are would be looked for in the wrong ones.
            groups.PartitionCount = topic.Partitions.Count;
        }

        foreach (var partition in topic.Partitions)
        {
            if (partition.Leader == self && partitions.Find(topic, partition.Index).Partition is { } led && led.LeaderEpoch == partition.LeaderEpoch)
            {
                Elect(led);
            }
            else if (_led.Remove(partition.Index, out var former))
            {
                groups.Resign(partition.Index, former);
            }
        }

        warm.Apply(topic);
    }

    private void Elect(Partition partition)
    {
        if (_led.TryGetValue(partition.Id.Partition, out var known) && known == partition.LeaderEpoch)
        {
            return;
        }

        var log = new CoordinatorLog(runtime, partition, buffers);
        groups.Elect(partition.Id.Partition, partition.LeaderEpoch, log, log);
        _led[partition.Id.Partition] = partition.LeaderEpoch;

        // One that is handed over is resigned before another may lead it: what its shard knows is out of date from then on.
        partition.Ending.UnsafeRegister(_ => groups.Resign(partition.Id.Partition, partition.LeaderEpoch), null);
    }

    private void ResignAll()
    {
        warm.CoolDown();
        foreach (var (partition, epoch) in _led)
        {
            groups.Resign(partition, epoch);
        }

        _led.Clear();
    }
}
