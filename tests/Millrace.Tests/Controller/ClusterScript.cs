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
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Controller;

/// <summary>
/// Runs the controller's decisions on a state, one entry each, without log or loop. Each entry also goes through its bytes, and what
/// they make must be the same state.
/// </summary>
internal sealed class ClusterScript
{
    public static readonly ConfigResolver Configs = new(MetadataImage.AllBrokers, new Dictionary<string, string>());

    public ClusterState State { get; set; } = ClusterState.Empty;

    public long Entries { get; private set; }

    public SystemRandom Random { get; } = new();

    public T Do<T>(Func<PendingEntry, T> decide)
    {
        var entry = new PendingEntry(State, DateTimeOffset.UnixEpoch.AddSeconds(Entries));
        try
        {
            return entry.Run(decide);
        }
        finally
        {
            var place = new LogPlace(1, Entries);
            var touched = new TouchedTopics();
            var replayed = State.Apply(MetadataEntry.Read(MetadataEntry.Write(entry.Records)), place, touched);
            RequireAll(touched, State.Cluster, replayed.Cluster);
            RequireAll(entry.Touched, State.Cluster, entry.Cluster);
            State = entry.State.EndEntry(State, place);
            Entries++;
            Assert.Equal(Bytes(State), Bytes(replayed));
        }
    }

    public void Do(Action<PendingEntry> decide) =>
        Do(entry =>
        {
            decide(entry);
            return true;
        });

    /// <summary>What a look at every topic finds, the records have told.</summary>
    private static void RequireAll(TouchedTopics touched, MetadataImage before, MetadataImage after)
    {
        var (told, seen) = (MetadataDelta.Between(before, after, touched), MetadataDelta.Between(before, after));
        Assert.Equal(seen.ChangedTopics.Select(topic => topic.Id).Order(), told.ChangedTopics.Select(topic => topic.Id).Order());
        Assert.Equal(seen.DeletedTopics.Select(topic => topic.Id).Order(), told.DeletedTopics.Select(topic => topic.Id).Order());
    }

    public static byte[] Bytes(ClusterState state) => MetadataEntry.Write(state.ToRecords());

    public NodeIncarnation Register(bool withWal = true, string name = "node", WalKind kind = WalKind.Memory, string? rack = null)
    {
        var node = Do(entry => NodeOperations.Register(
            entry, new NodeRegistration(Random.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "host", 1)], rack) { Name = name }));
        if (withWal)
        {
            RegisterWal(node, kind);
        }

        return node;
    }

    public Guid RegisterWal(NodeIncarnation node, WalKind kind = WalKind.Memory, string location = "somewhere", bool isAdditional = false)
    {
        var wal = new WalDescriptor(Random.NewId(), kind, location, node.Node, node.Epoch);
        Do(entry => WalOperations.RegisterWal(entry, node, wal, isAdditional));
        return wal.Id;
    }

    public TopicImage CreateTopic(string name, int partitions = 1, short replicationFactor = 1)
    {
        var request = new CreateTopicsRequest
        {
            Topics = [new CreateTopicsRequest.CreatableTopic { Name = name, NumPartitions = partitions, ReplicationFactor = replicationFactor }],
        };
        var response = Do(entry => new TopicCreation(Configs, Random).Create(entry, request));
        Assert.Equal((short)ErrorCode.None, Assert.Single(response.Topics).ErrorCode);
        return State.Cluster.Topics[name];
    }

    public void DeleteTopic(string name)
    {
        var request = new DeleteTopicsRequest { Topics = [new DeleteTopicsRequest.DeleteTopicState { Name = name }] };
        var response = Do(entry => new TopicDeletion(isEnabled: true).Delete(entry, request));
        Assert.Equal((short)ErrorCode.None, Assert.Single(response.Responses).ErrorCode);
    }

    public StreamState Stream(StreamId id) => State.Streams.Streams[id];

    public StreamId OpenStream(NodeIncarnation node, long epoch = 0)
    {
        var id = Do(entry => StreamOperations.Create(entry, node));
        Open(node, id, epoch);
        return id;
    }

    public StreamOpening Open(NodeIncarnation node, StreamId id, long epoch) =>
        Do(entry => StreamOperations.Open(entry, node, id, new StreamEpoch(epoch)));

    /// <summary>Completes all that is a node's of a WAL, as if it had been read.</summary>
    public static ShareCompletion Recover(PendingEntry entry, NodeIncarnation node, Guid wal) =>
        WaitingWals.Complete(
            entry, node, WaitingWals.SharesOf(entry.State, node).FirstOrDefault(share => share.WalId == wal) ?? new WalShare(wal, []));

    public ObjectId Prepare(NodeIncarnation node, int count = 1) => Do(entry => ObjectOperations.Prepare(entry, node, count));

    public IReadOnlyList<RangeVerdict> Commit(NodeIncarnation node, Guid? wal, params ObjectRange[] ranges) =>
        Do(entry => UploadJudge.Commit(entry, new UploadCommit(node, wal, ranges)));

    /// <summary>Prepares an object and commits one range in it.</summary>
    public ObjectId Upload(NodeIncarnation node, StreamId stream, long epoch, long start, long end, bool checkpoint = false)
    {
        var id = Prepare(node);
        var verdict = Assert.Single(Commit(node, null, Range(id, stream, epoch, start, end, checkpoint)));
        Assert.Equal(new RangeVerdict(RangeOutcome.Accepted, start), verdict);
        return id;
    }

    public static ObjectRange Range(ObjectId id, StreamId stream, long epoch, long start, long end, bool checkpoint = false) =>
        new(
            id,
            ObjectKind.StreamSet,
            1_000,
            stream,
            new StreamEpoch(epoch),
            start,
            end,
            end - start,
            -1,
            checkpoint,
            new RangeDigest((ulong)id.Value, ulong.MaxValue));
}
