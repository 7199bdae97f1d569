using Millrace.Broker.Membership;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Shards;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Streams;

namespace Millrace.Broker.Groups;

/// <summary>
/// Has the groups of partitions read that move to this node, while others lead them, and says how far they are read: whoever leads them stops when little
/// is left to read.
/// </summary>
/// <remarks>Threading: image changes come one at a time.</remarks>
internal sealed class WarmCoordinators(BrokerIdentity self, IMetadataFeed feed, IControllerChannel controller, IStreamStore streams, GroupCoordinator groups)
{
    private readonly SortedSet<int> _warm = [];

    /// <summary>After those that this node leads were elected.</summary>
    public void Apply(TopicImage topic)
    {
        foreach (var partition in topic.Partitions)
        {
            if (partition.Leader == self.Node)
            {
                _warm.Remove(partition.Index);
            }
            else if (partition.PlannedTo != self.Node)
            {
                CoolDown(partition.Index);
            }
            else if (partition.Moves && _warm.Add(partition.Index))
            {
                groups.WarmUp(
                    partition.Index,
                    Math.Min(TopicSettings.Of(self.Configs, feed.Image, topic).MaxMessageBytes, streams.MaxAppendBytes),
                    new CommittedLog(streams, partition.Stream),
                    (offset, token) => TellAsync(topic.Id, partition.Index, offset, token));
            }
        }
    }

    /// <summary>None is to be led here.</summary>
    public void CoolDown()
    {
        foreach (var partition in _warm.ToList())
        {
            CoolDown(partition);
        }
    }

    private void CoolDown(int partition)
    {
        if (_warm.Remove(partition))
        {
            groups.CoolDown(partition);
        }
    }

    private async Task TellAsync(Guid topic, int partition, long offset, CancellationToken token)
    {
        if (feed.Image.FindPartition(topic, partition) is not { Moves: true } known || known.PlannedTo != self.Node || known.WarmTo >= offset)
        {
            return;
        }

        try
        {
            await controller.SendAsync<WarmedUpRequest, WarmedUpResponse>(
                new WarmedUpRequest
                {
                    NodeId = self.Node.Value, NodeEpoch = self.Epoch.Value, TopicId = topic, Partition = partition, EndOffset = offset,
                },
                token);
        }
        catch (ControllerException refused)
        {
            throw new CoordinatorException(CoordinatorError.Unavailable, refused.Message, refused);
        }
    }
}
