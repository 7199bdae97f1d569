using Millrace.Protocol.Messages;

namespace Millrace.Metadata.Image;

/// <content>The image as records.</content>
public sealed partial record MetadataImage
{
    /// <summary>
    /// Records that make this image out of the empty one. The counters are not among them: they are shared with the streams
    /// (<see cref="CountersRecord"/>).
    /// </summary>
    public IEnumerable<IRecord> ToRecords()
    {
        yield return new ClusterRecord { ClusterId = ClusterUuid };
        yield return new FeatureLevelRecord { Level = FeatureLevel };
        if (Controller is { } controller)
        {
            yield return new ControllerRecord { NodeId = controller.Value };
        }

        foreach (var node in Nodes.Values)
        {
            yield return node.ToRecord();
        }

        foreach (var wal in Wals.Values)
        {
            yield return wal.ToRecord();
        }

        foreach (var (node, configs) in BrokerConfigs)
        {
            foreach (var (name, value) in configs)
            {
                yield return new BrokerConfigRecord { NodeId = node.Value, Name = name, Value = value };
            }
        }

        foreach (var topic in Topics.Values)
        {
            yield return topic.ToRecord();
            foreach (var partition in topic.Partitions)
            {
                yield return partition.ToRecord(topic.Id);
            }
        }
    }
}
