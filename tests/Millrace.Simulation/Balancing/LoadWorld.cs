using System.Collections.Immutable;
using Millrace.Controller.Balancing;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;

namespace Millrace.Simulation.Balancing;

/// <summary>A cluster that consists of loads alone: what the balancer is told, and what becomes of what it says. No broker runs.</summary>
/// <remarks>
/// Partitions have loads of their own, far apart, as those of real clusters have; all of them rise and fall with the day, and each is other than it was from
/// window to window. A move is done within its window.
/// </remarks>
internal sealed class LoadWorld
{
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Random _random;
    private readonly Guid[] _topics;
    private readonly int _partitionsOfTopic;

    // Bytes a second, by topic and partition.
    private readonly double[] _weights;
    private readonly NodeId?[] _leaders;
    private readonly SortedSet<NodeId> _nodes = [];
    private readonly double _capacity;
    private readonly int _firstNodes;
    private int _lastNode;
    private MetadataImage _image = MetadataImage.Empty;

    /// <param name="seed">Makes the same world again.</param>
    /// <param name="nodes">How many there are at first.</param>
    /// <param name="topics">How many.</param>
    /// <param name="partitionsOfTopic">Of each topic.</param>
    /// <param name="meanBytes">What a node has on average, in bytes a second.</param>
    /// <param name="capacity">With so many bytes a second its processors are used whole.</param>
    public LoadWorld(int seed, int nodes, int topics, int partitionsOfTopic, double meanBytes, double capacity)
    {
        _random = new Random(seed);
        _capacity = capacity;
        _firstNodes = nodes;
        _partitionsOfTopic = partitionsOfTopic;
        _topics = [.. Enumerable.Range(1, topics).Select(number => new Guid(number, 0, 0, new byte[8]))];

        // Long-tailed: of a hundred partitions a few have half of the load.
        _weights = [.. Enumerable.Range(0, topics * partitionsOfTopic).Select(_ => Math.Exp(1.5 * Normal()))];
        var scale = meanBytes * nodes / _weights.Sum();
        for (var i = 0; i < _weights.Length; i++)
        {
            _weights[i] *= scale;
        }

        for (var i = 0; i < nodes; i++)
        {
            _nodes.Add(new NodeId(_lastNode++));
        }

        _leaders = [.. Enumerable.Range(0, _weights.Length).Select(number => (NodeId?)new NodeId(number % nodes))];
        Rebuild();
    }

    /// <summary>How much what a partition has in one window differs from the next, as a share of it.</summary>
    public double Noise { get; set; }

    /// <summary>All loads at this time of day, as a share of the mean.</summary>
    public double Daytime { get; set; } = 1;

    /// <summary>Whoever led a partition at first stays its preferred leader; otherwise whoever leads it is.</summary>
    public bool KeepsPreferred { get; set; }

    public MetadataImage Image => _image;

    public IReadOnlyCollection<NodeId> Nodes => _nodes;

    public int Partitions => _weights.Length;

    public double WeightOf(int partition) => _weights[partition] * Daytime;

    public NodeId? LeaderOf(int partition) => _leaders[partition];

    /// <summary>A partition gets so many times the load that it has.</summary>
    public void Heat(int partition, double times) => _weights[partition] *= times;

    /// <summary>All partitions of a topic get so many times the load that they have.</summary>
    public void HeatTopic(int topic, double times)
    {
        for (var i = 0; i < _partitionsOfTopic; i++)
        {
            Heat((topic * _partitionsOfTopic) + i, times);
        }
    }

    public void Lead(int partition, NodeId node)
    {
        _leaders[partition] = node;
        Rebuild();
    }

    /// <summary>An empty node comes.</summary>
    public NodeId Join()
    {
        var node = new NodeId(_lastNode++);
        _nodes.Add(node);
        Rebuild();
        return node;
    }

    /// <summary>A node is lost: the others lead in turn what it has led.</summary>
    public void Lose(NodeId node)
    {
        _nodes.Remove(node);
        Empty(node);
    }

    /// <summary>The others lead in turn what a node has led.</summary>
    public void Empty(NodeId node)
    {
        var left = _nodes.Where(other => other != node).ToArray();
        var next = 0;
        for (var i = 0; i < _leaders.Length; i++)
        {
            if (_leaders[i] == node)
            {
                _leaders[i] = left[next++ % left.Length];
            }
        }

        Rebuild();
    }

    /// <summary>What all nodes say after a window.</summary>
    public Dictionary<NodeId, NodeLoad> Measure()
    {
        var bytes = _nodes.ToDictionary(node => node, _ => new List<PartitionLoad>());
        for (var i = 0; i < _weights.Length; i++)
        {
            var now = (long)(_weights[i] * Daytime * (1 + (Noise * ((2 * _random.NextDouble()) - 1))));
            bytes[_leaders[i]!.Value].Add(new PartitionLoad(_topics[i / _partitionsOfTopic], i % _partitionsOfTopic, now / 3, now - (now / 3)));
        }

        return bytes.ToDictionary(node => node.Key, node => new NodeLoad
        {
            BytesIn = node.Value.Sum(partition => partition.BytesIn),
            BytesOut = node.Value.Sum(partition => partition.BytesOut),
            Cpu = Math.Min(1, node.Value.Sum(partition => partition.Bytes) / _capacity),
            Busiest = [.. node.Value.OrderByDescending(partition => partition.Bytes).Take(NodeLoad.MostBusiest)],
        });
    }

    /// <summary>What each node really has, without noise, in bytes a second.</summary>
    public Dictionary<NodeId, double> Loads()
    {
        var loads = _nodes.ToDictionary(node => node, _ => 0.0);
        for (var i = 0; i < _weights.Length; i++)
        {
            loads[_leaders[i]!.Value] += _weights[i] * Daytime;
        }

        return loads;
    }

    /// <summary>The highest load as a multiple of the mean.</summary>
    public double Highest()
    {
        var loads = Loads();
        return loads.Values.Max() / loads.Values.Average();
    }

    public Dictionary<NodeId, int> Counts() => _nodes.ToDictionary(node => node, node => _leaders.Count(leader => leader == node));

    public int NumberOf(BalanceMove move) => (Array.IndexOf(_topics, move.Topic) * _partitionsOfTopic) + move.Partition;

    public void Do(IReadOnlyList<BalanceMove> moves)
    {
        foreach (var move in moves)
        {
            _leaders[NumberOf(move)] = move.To;
        }

        if (moves.Count > 0)
        {
            Rebuild();
        }
    }

    private void Rebuild()
    {
        var topics = ImmutableSortedDictionary.CreateBuilder<string, TopicImage>(StringComparer.Ordinal);
        var names = ImmutableSortedDictionary.CreateBuilder<Guid, string>();
        for (var topic = 0; topic < _topics.Length; topic++)
        {
            var first = topic * _partitionsOfTopic;
            names.Add(_topics[topic], $"topic-{topic}");
            topics.Add($"topic-{topic}", new TopicImage(
                _topics[topic], $"topic-{topic}", 1,
                [
                    .. Enumerable.Range(0, _partitionsOfTopic).Select(index => new PartitionImage(
                        index, new StreamId(first + index), _leaders[first + index], new StreamEpoch(1), [PreferredOf(first + index)])),
                ],
                ImmutableSortedDictionary<string, string>.Empty));
        }

        _image = MetadataImage.Empty with
        {
            Topics = topics.ToImmutable(),
            TopicNames = names.ToImmutable(),
            Nodes = _nodes.ToImmutableSortedDictionary(
                node => node,
                node => new NodeImage(
                    node, new NodeEpoch(1), Guid.Empty, [new NodeEndpoint(ListenerName.Plaintext, "host", 1)], Rack: null, NodeState.Live)),
        };
    }

    private NodeId PreferredOf(int partition) => KeepsPreferred ? new NodeId(partition % _firstNodes) : _leaders[partition]!.Value;

    private double Normal() =>
        Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
}
