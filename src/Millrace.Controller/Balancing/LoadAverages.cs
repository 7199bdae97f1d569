using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>Moving averages of what partitions have their leaders do. They go with a partition that moves.</summary>
/// <remarks>
/// Of partitions that are not among the busiest of their leader nothing is known but what they make together: each counts for its share of that.
/// Threading: one at a time.
/// </remarks>
internal sealed class LoadAverages
{
    private readonly Dictionary<(Guid Topic, int Partition), MovingLoad> _busy = [];

    // What each of those has that a node does not tell of by themselves, and how many they are.
    private readonly Dictionary<NodeId, (MovingLoad Each, int Count)> _others = [];

    /// <summary>Takes one window in.</summary>
    public void Add(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads)
    {
        var told = new Dictionary<(Guid Topic, int Partition), long>();
        foreach (var partition in loads.Values.SelectMany(load => load.Busiest))
        {
            // One that has moved within the window is told of by both of its leaders.
            var key = (partition.Topic, partition.Partition);
            told[key] = told.GetValueOrDefault(key) + partition.Bytes;
        }

        CountOthers(image, loads, told);
        foreach (var (key, bytes) in told)
        {
            _busy[key] = _busy.TryGetValue(key, out var average) ? average.Next(bytes) : new MovingLoad(bytes, 0);
        }

        foreach (var key in _busy.Keys.Where(key => !told.ContainsKey(key)).ToArray())
        {
            if (image.FindPartition(key.Topic, key.Partition) is not { Leader: { } leader })
            {
                _busy.Remove(key);
                continue;
            }

            var other = _others.GetValueOrDefault(leader).Each;
            var next = _busy[key].Next(other.Bytes);
            if (next.Bytes - other.Bytes < 1)
            {
                _busy.Remove(key);
            }
            else
            {
                _busy[key] = next;
            }
        }
    }

    /// <summary>Of a partition.</summary>
    public MovingLoad Of(Guid topic, PartitionImage partition) =>
        _busy.TryGetValue((topic, partition.Index), out var load) ? load
        : partition.Leader is { } leader && _others.TryGetValue(leader, out var others) ? others.Each with { Variance = others.Each.Variance * others.Count }
        : default;

    private void CountOthers(
        MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, Dictionary<(Guid Topic, int Partition), long> told)
    {
        var counts = new Dictionary<NodeId, int>();
        foreach (var topic in image.Topics.Values)
        {
            foreach (var partition in topic.Partitions)
            {
                if (partition.Leader is { } leader && !told.ContainsKey((topic.Id, partition.Index)))
                {
                    counts[leader] = counts.GetValueOrDefault(leader) + 1;
                }
            }
        }

        foreach (var (node, load) in loads)
        {
            var rest = Math.Max(0, load.Bytes - load.Busiest.Sum(partition => partition.Bytes));
            var each = counts.TryGetValue(node, out var count) ? (double)rest / count : 0;
            _others[node] = (_others.TryGetValue(node, out var known) ? known.Each.Next(each) : new MovingLoad(each, 0), count);
        }

        foreach (var gone in _others.Keys.Where(node => !loads.ContainsKey(node)).ToArray())
        {
            _others.Remove(gone);
        }
    }
}
