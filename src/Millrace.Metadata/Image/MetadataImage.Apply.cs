using System.Collections.Immutable;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Metadata.Image;

/// <content>How records change the image.</content>
public sealed partial record MetadataImage
{
    /// <summary>
    /// The image after a record. Records of streams and objects change nothing here. A record that contradicts the image breaks an
    /// invariant: whoever wrote it had another image, and going on would part this one from it for good.
    /// </summary>
    public MetadataImage Apply(IRecord record) =>
        record switch
        {
            ClusterRecord cluster => this with { ClusterUuid = cluster.ClusterId },
            FeatureLevelRecord feature => this with { FeatureLevel = feature.Level },
            ControllerRecord controller => this with { Controller = new NodeId(controller.NodeId) },
            NodeRecord node => Apply(node),
            NodeFencedRecord fenced => Leave(new NodeId(fenced.NodeId), new NodeEpoch(fenced.NodeEpoch), NodeState.Fenced),
            NodeStoppedRecord stopped => Leave(new NodeId(stopped.NodeId), new NodeEpoch(stopped.NodeEpoch), NodeState.Stopped),
            NodeRemovedRecord removed => Remove(new NodeId(removed.NodeId), new NodeEpoch(removed.NodeEpoch)),
            WalRecord wal => this with { Wals = Wals.SetItem(wal.WalId, ToImage(wal)) },
            WalRemovedRecord wal => this with { Wals = Wals.Remove(wal.WalId) },
            TopicRecord topic => Apply(topic),
            PartitionRecord partition => Apply(partition),
            PartitionLeadersRecord leaders => Apply(leaders),
            PartitionPlansRecord plans => Apply(plans),
            PartitionReplicasRecord replicas => Apply(replicas),
            PartitionWarmRecord warm => Apply(warm),
            TopicRemovedRecord topic => Remove(topic.TopicId),
            TopicConfigRecord config => Apply(config),
            BrokerConfigRecord config => Apply(config),
            ProducerIdsRecord ids => this with { NextProducerId = ids.NextProducerId },
            CountersRecord counters => this with
            {
                Version = new MetadataVersion(counters.VersionTerm, counters.VersionIndex),
                NextNodeId = counters.NextNodeId,
                NextNodeEpoch = counters.NextNodeEpoch,
                NextProducerId = counters.NextProducerId,
            },
            _ => this,
        };

    private static WalImage ToImage(WalRecord wal) =>
        new(
            wal.WalId, (byte)wal.Kind, wal.Location, new NodeId(wal.NodeId), new NodeEpoch(wal.NodeEpoch), (WalState)wal.State, wal.IsAdditional);

    private MetadataImage Apply(NodeRecord record)
    {
        var node = new NodeImage(
            new NodeId(record.NodeId),
            new NodeEpoch(record.NodeEpoch),
            record.IncarnationId,
            ToEndpoints(record),
            record.Rack,
            (NodeState)record.State)
        {
            Program = record.Program,
            Name = record.Name,
            IsLeaving = record.IsLeaving,
            Devices = [.. record.Devices],
            Times = record.LeaseMs > 0 ? new NodeTimes(TimeSpan.FromMilliseconds(record.LeaseMs), TimeSpan.FromMilliseconds(record.FenceMs)) : null,
            Internal = record.InternalHost is { } host ? new PeerAddress(host, record.InternalPort) : null,
        };
        return this with
        {
            Nodes = Nodes.SetItem(node.Id, node),
            NextNodeId = Math.Max(NextNodeId, node.Id.Value + 1),
            NextNodeEpoch = Math.Max(NextNodeEpoch, node.Epoch.Value + 1),
        };
    }

    // The listener of those who named none was the usual one.
    private static ImmutableArray<NodeEndpoint> ToEndpoints(NodeRecord record) =>
        record.Endpoints.Count == 0
            ? [new NodeEndpoint(ListenerName.Plaintext, record.Host, record.Port)]
            : [.. record.Endpoints.Select(endpoint => new NodeEndpoint(new ListenerName(endpoint.Listener), endpoint.Host, endpoint.Port))];

    private MetadataImage Leave(NodeId id, NodeEpoch epoch, NodeState state)
    {
        var node = Nodes[id];
        Invariant.Check(node.Epoch == epoch && node.IsLive);
        return this with
        {
            Nodes = Nodes.SetItem(id, node with { State = state }),
            Topics = Without(id),
            Wals = WithWals(id, epoch, state == NodeState.Stopped ? WalState.Retired : WalState.AwaitsRecovery),
        };
    }

    private MetadataImage Remove(NodeId id, NodeEpoch epoch)
    {
        Invariant.Check(Nodes[id].Epoch == epoch && !Nodes[id].IsLive);
        return this with { Nodes = Nodes.Remove(id), Controller = Controller == id ? null : Controller };
    }

    private ImmutableSortedDictionary<Guid, WalImage> WithWals(NodeId node, NodeEpoch epoch, WalState state) =>
        Wals.SetItems(WalsOf(node, epoch).Select(wal => KeyValuePair.Create(wal.Id, wal with { State = state })));

    /// <summary>
    /// It leads nothing any more, and nothing moves to it: a move ends with either of its nodes. What it was to recover is planned anew by whoever takes it
    /// out of the cluster.
    /// </summary>
    private ImmutableSortedDictionary<string, TopicImage> Without(NodeId node)
    {
        var topics = Topics.ToBuilder();
        foreach (var (name, topic) in Topics)
        {
            ImmutableList<PartitionImage>.Builder? partitions = null;
            foreach (var partition in topic.Partitions)
            {
                if (partition.Leader is { } leader && (leader == node || partition.PlannedTo == node))
                {
                    partitions ??= topic.Partitions.ToBuilder();
                    partitions[partition.Index] = partition with { Leader = leader == node ? null : leader, PlannedTo = null, WarmTo = 0 };
                }
            }

            if (partitions is not null)
            {
                topics[name] = topic with { Partitions = partitions.ToImmutable() };
            }
        }

        return topics.ToImmutable();
    }

    private MetadataImage Apply(TopicRecord record)
    {
        Invariant.Check(!Topics.ContainsKey(record.Name) && !TopicNames.ContainsKey(record.TopicId));
        var configs = ImmutableSortedDictionary.CreateRange(
            StringComparer.Ordinal, record.Configs.Select(config => KeyValuePair.Create(config.Name, config.Value)));
        return this with
        {
            Topics = Topics.Add(record.Name, new TopicImage(record.TopicId, record.Name, record.ReplicationFactor, [], configs)),
            TopicNames = TopicNames.Add(record.TopicId, record.Name),
        };
    }

    private MetadataImage Apply(PartitionRecord record)
    {
        var topic = Topics[TopicNames[record.TopicId]];
        Invariant.Check(topic.Partitions.Count == record.Partition);
        var partition = new PartitionImage(
            record.Partition,
            new StreamId(record.StreamId),
            ToNode(record.Leader),
            new StreamEpoch(record.LeaderEpoch),
            [.. record.Replicas.Select(replica => new NodeId(replica))])
        {
            PlannedTo = ToNode(record.PlannedTo),
            WarmTo = record.WarmTo,
        };
        return With(topic with { Partitions = topic.Partitions.Add(partition) });
    }

    private MetadataImage Apply(PartitionLeadersRecord record)
    {
        var topic = Topics[TopicNames[record.TopicId]];
        var partitions = topic.Partitions.ToBuilder();
        foreach (var range in record.Ranges)
        {
            for (var i = range.First; i < range.First + range.Count; i++)
            {
                var former = partitions[i];
                partitions[i] = former with
                {
                    Leader = ToNode(range.Leader), Epoch = new StreamEpoch(former.Epoch.Value + 1), PlannedTo = null, WarmTo = 0,
                };
            }
        }

        return With(topic with { Partitions = partitions.ToImmutable() });
    }

    private MetadataImage Apply(PartitionPlansRecord record)
    {
        var topic = Topics[TopicNames[record.TopicId]];
        var partitions = topic.Partitions.ToBuilder();
        foreach (var range in record.Ranges)
        {
            for (var i = range.First; i < range.First + range.Count; i++)
            {
                partitions[i] = partitions[i] with { PlannedTo = ToNode(range.PlannedTo), WarmTo = 0 };
            }
        }

        return With(topic with { Partitions = partitions.ToImmutable() });
    }

    private MetadataImage Apply(PartitionReplicasRecord record)
    {
        var topic = Topics[TopicNames[record.TopicId]];
        var partitions = topic.Partitions.ToBuilder();
        foreach (var assignment in record.Assignments)
        {
            Invariant.Check(assignment.Replicas.Count > 0);
            partitions[assignment.Partition] = partitions[assignment.Partition] with
            {
                Replicas = [.. assignment.Replicas.Select(replica => new NodeId(replica))],
            };
        }

        return With(topic with { Partitions = partitions.ToImmutable() });
    }

    private MetadataImage Apply(PartitionWarmRecord record)
    {
        var topic = Topics[TopicNames[record.TopicId]];
        var partition = topic.Partitions[record.Partition];
        Invariant.Check(partition.Moves);
        return With(topic with { Partitions = topic.Partitions.SetItem(record.Partition, partition with { WarmTo = record.EndOffset }) });
    }

    private MetadataImage Apply(TopicConfigRecord record)
    {
        var topic = Topics[TopicNames[record.TopicId]];
        return With(topic with { Configs = Set(topic.Configs, record.Name, record.Value) });
    }

    private MetadataImage Apply(BrokerConfigRecord record)
    {
        var node = new NodeId(record.NodeId);
        var configs = BrokerConfigs.GetValueOrDefault(node) ?? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        configs = Set(configs, record.Name, record.Value);
        return this with { BrokerConfigs = configs.IsEmpty ? BrokerConfigs.Remove(node) : BrokerConfigs.SetItem(node, configs) };
    }

    private MetadataImage Remove(Guid topic) =>
        this with { Topics = Topics.Remove(TopicNames[topic]), TopicNames = TopicNames.Remove(topic) };

    private MetadataImage With(TopicImage topic) => this with { Topics = Topics.SetItem(topic.Name, topic) };

    private static ImmutableSortedDictionary<string, string> Set(ImmutableSortedDictionary<string, string> configs, string name, string? value) =>
        value is null ? configs.Remove(name) : configs.SetItem(name, value);

    private static NodeId? ToNode(int node) => node < 0 ? null : new NodeId(node);
}
