using Millrace.Controller;
using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.State;
using Millrace.Controller.Streams;
using Millrace.Controller.Topics;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Benchmarks.Metadata;

/// <summary>A cluster whose nodes upload a little of each of their partitions every ten seconds: its state, entry by entry, without a log.</summary>
internal sealed class GrowingCluster
{
    private const int Nodes = 10;
    private const int PartitionsPerTopic = 1_000;
    private const long Interval = 10_000;

    private readonly Random _random = new(1);
    private readonly List<NodeIncarnation> _nodes = [];
    private readonly List<StreamId>[] _streams;
    private readonly long[] _ends;
    private long _now = 1_700_000_000_000;

    public GrowingCluster(int partitions)
    {
        var lots = new SystemRandom();
        for (var i = 0; i < Nodes; i++)
        {
            _nodes.Add(Do(entry => NodeOperations.Register(
                entry, new NodeRegistration(lots.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "host", 9092)], null) { Name = $"node-{i}" })));
        }

        var topics = new TopicCreation(new ConfigResolver(MetadataImage.AllBrokers, new Dictionary<string, string>()), lots);
        for (var i = 0; i < partitions / PartitionsPerTopic; i++)
        {
            Do(entry => topics.Create(entry, new CreateTopicsRequest
            {
                Topics = [new() { Name = $"topic-{i}", NumPartitions = PartitionsPerTopic, ReplicationFactor = 3 }],
            }));
        }

        _streams = [.. _nodes.Select(_ => new List<StreamId>())];
        _ends = new long[State.Streams.NextStreamId];
        foreach (var partition in State.Cluster.Topics.Values.SelectMany(topic => topic.Partitions))
        {
            var node = _nodes.FindIndex(node => node.Node == partition.Leader);
            _streams[node].Add(partition.Stream);
        }

        for (var node = 0; node < Nodes; node++)
        {
            var owner = _nodes[node];
            Do(entry => _streams[node].ConvertAll(id => StreamOperations.Open(entry, owner, id, new StreamEpoch(0))));
        }
    }

    public ClusterState State { get; private set; } = ClusterState.Empty;

    /// <summary>The bytes of the entries that committed the last uploads.</summary>
    public long CommitBytes { get; private set; }

    /// <summary>One upload of each node, with a range of every partition that it leads.</summary>
    public void Upload()
    {
        CommitBytes = 0;
        _now += Interval;
        for (var node = 0; node < Nodes; node++)
        {
            var owner = _nodes[node];
            var id = Do(entry => ObjectOperations.Prepare(entry, owner, 1));
            var digest = new RangeDigest((ulong)_random.NextInt64(), (ulong)_random.NextInt64());
            ObjectRange[] ranges = [.. _streams[node].Select(stream => Range(id, stream, digest))];
            Do(entry => UploadJudge.Commit(entry, new UploadCommit(owner, null, ranges)), isCommit: true);
        }
    }

    private ObjectRange Range(ObjectId id, StreamId stream, RangeDigest digest)
    {
        var start = _ends[stream.Value];
        var end = _ends[stream.Value] += _random.Next(1, 2_000);
        return new ObjectRange(
            id, ObjectKind.StreamSet, 100_000_000, stream, new StreamEpoch(0), start, end, (end - start) * 100, _now - _random.Next((int)Interval),
            HasCheckpoint: true, digest);
    }

    private T Do<T>(Func<PendingEntry, T> decide, bool isCommit = false)
    {
        var entry = new PendingEntry(State, DateTimeOffset.UnixEpoch.AddMilliseconds(_now));
        var result = decide(entry);
        State = entry.State.EndEntry(State, new LogPlace(1, _now));
        CommitBytes += isCommit ? MetadataEntry.Write(entry.Records).Length : 0;
        return result;
    }
}
