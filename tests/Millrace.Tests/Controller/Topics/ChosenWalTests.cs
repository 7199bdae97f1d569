using Millrace.Controller.Endpoint;
using Millrace.Controller.Nodes;
using Millrace.Controller.State;
using Millrace.Controller.Streams;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Xunit;

namespace Millrace.Tests.Controller.Topics;

/// <summary>Nodes that have a WAL in a file, their default, and one in the store beside it; and topics that choose between them.</summary>
public sealed class ChosenWalTests
{
    private readonly ClusterScript _script = new();
    private readonly NodeIncarnation _node;
    private readonly Guid _file;
    private readonly Guid _object;

    public ChosenWalTests()
    {
        _node = _script.Register(withWal: false, name: "first");
        _object = _script.RegisterWal(_node, WalKind.Object, isAdditional: true);
        _file = _script.RegisterWal(_node, WalKind.File);
        foreach (var (topic, wal) in new[] { ("fast", "default"), ("safe", "object") })
        {
            Assert.Null(Create(topic, wal));
            _script.Open(_node, Stream(topic).Id, 0);
        }
    }

    [Fact]
    public void A_stream_lies_in_the_WAL_that_its_topic_asks_for_or_in_the_default()
    {
        Assert.Null(Stream("fast").OpenRange!.Value.Wal);
        Assert.Equal(WalKind.Object, Stream("safe").OpenRange!.Value.Wal);
        Assert.Equal(WalKind.Object, _script.Open(_node, Stream("safe").Id, 0).Wal);
        Assert.Equal([Stream("fast").Id, Stream("safe").Id], _script.State.Streams.OpenStreamsOf(_node));
    }

    [Fact]
    public void One_that_asks_for_the_default_by_its_kind_or_for_what_is_not_there_lies_in_the_default()
    {
        Set("safe", "file");
        Close("safe", end: 0);
        Assert.Null(Stream("safe").OpenRange!.Value.Wal);

        var other = _script.Register(name: "other", kind: WalKind.Object);
        Assert.Null(_script.State.Cluster.ChooseWal(other.Node, other.Epoch, (byte)WalKind.Block));
    }

    [Fact]
    public void What_is_handed_over_to_its_leader_again_is_closed_in_the_one_and_open_in_the_other_in_one_entry()
    {
        _script.Upload(_node, Stream("fast").Id, 0, 0, 10);
        Set("fast", "object");
        Assert.Null(Stream("fast").OpenRange!.Value.Wal);

        var records = Close("fast", end: 10);

        Assert.Equal([typeof(StreamClosedRecord), typeof(PartitionLeadersRecord), typeof(StreamOpenedRecord)], records);
        Assert.Equal(new EpochRange(new StreamEpoch(1), 10, null, _node, WalKind.Object), Stream("fast").OpenRange);

        Set("fast", null);
        Close("fast", end: 10);
        Assert.Equal(new EpochRange(new StreamEpoch(2), 10, null, _node, null), Stream("fast").OpenRange);
    }

    [Fact]
    public void What_others_have_opened_for_a_node_in_the_store_is_no_proof_that_its_file_is_made()
    {
        var next = _script.Register(withWal: false, name: "next");
        _script.RegisterWal(next, WalKind.Object, isAdditional: true);
        _script.RegisterWal(next, WalKind.File);
        _script.Do(entry => Evacuation.Plan(entry, _node.Node));

        Close("safe", end: 0);
        Close("fast", end: 0);

        Assert.Equal((next.Node, next.Node), (Partition("safe").Leader, Partition("fast").Leader));
        Assert.Equal(next, Stream("safe").OpenRange?.Owner);
        Assert.Null(Stream("fast").OpenRange);

        Assert.Equal(next, _script.Do(entry =>
        {
            StreamOperations.Open(entry, next, Stream("fast").Id, new StreamEpoch(1));
            return entry.Streams.Streams[Stream("fast").Id].OpenRange!.Value.Owner;
        }));
    }

    [Fact]
    public void Each_WAL_of_one_that_is_gone_waits_for_what_lies_in_it_and_is_planned_by_who_reaches_it()
    {
        var survivor = _script.Register(name: "survivor", kind: WalKind.Object);

        _script.Do(entry => NodeOperations.Fence(entry, _node));

        Assert.Equal(_node.Node, Partition("fast").PlannedTo);
        Assert.Equal(survivor.Node, Partition("safe").PlannedTo);
        Assert.Equal(
            [(_file, "fast"), (_object, "safe")],
            WaitingWals.Waiting(_script.State).Select(wal => (wal.Wal.Id, Assert.Single(wal.Streams).Topic)).OrderBy(wal => wal.Topic));
        var share = Assert.Single(WaitingWals.SharesOf(_script.State, survivor));
        Assert.Equal((_object, Stream("safe").Id), (share.WalId, Assert.Single(share.Ranges).Stream));

        Assert.True(_script.Do(entry => WaitingWals.Complete(entry, survivor, share)).IsRetired);
        Assert.Equal(WalState.AwaitsRecovery, _script.State.Cluster.Wals[_file].State);
        Assert.Equal((survivor.Node, null), (Partition("safe").Leader, Partition("fast").Leader));
    }

    [Fact]
    public void A_WAL_that_nothing_lies_in_any_more_is_retired_as_its_writer_is_fenced()
    {
        Set("safe", null);
        Close("safe", end: 0);

        _script.Do(entry => NodeOperations.Fence(entry, _node));

        Assert.Equal(WalState.Retired, _script.State.Cluster.Wals[_object].State);
        Assert.Equal(WalState.AwaitsRecovery, _script.State.Cluster.Wals[_file].State);
    }

    [Fact]
    public void Recovering_one_commits_closes_and_damages_nothing_that_lies_in_the_other()
    {
        var next = _script.Register(name: "first", kind: WalKind.Object);
        var (fast, safe) = (Stream("fast"), Stream("safe"));
        var id = _script.Prepare(next);

        var verdicts = _script.Commit(
            next, _file, ClusterScript.Range(id, fast.Id, 0, 0, 10), ClusterScript.Range(id, safe.Id, 0, 0, 10));
        _script.Do(entry => StreamOperations.ReportDamage(entry, next, _file, safe.Id, new StreamEpoch(0)));
        var completion = _script.Do(entry => WaitingWals.Complete(
            entry, next, new WalShare(_file, [new(fast.Id, new StreamEpoch(0), 10), new(safe.Id, new StreamEpoch(0), 10)])));

        Assert.Equal([RangeOutcome.Accepted, RangeOutcome.Void], verdicts.Select(verdict => verdict.Outcome));
        Assert.Null(StreamOperations.RecoverableEnd(_script.State, _file, safe.Id, new StreamEpoch(0)));
        Assert.Equal(0, StreamOperations.RecoverableEnd(_script.State, _object, safe.Id, new StreamEpoch(0)));
        Assert.Empty(completion.Damaged);
        Assert.True(completion.IsRetired);
        Assert.Null(Stream("fast").OpenRange);
        Assert.Equal((0, false, true), (Stream("safe").CommittedEnd, Stream("safe").IsDamaged, Stream("safe").OpenRange is not null));
    }

    [Fact]
    public void A_loss_that_is_accepted_of_one_leaves_the_other()
    {
        _script.Register(name: "first", kind: WalKind.Object);

        var lost = _script.Do(entry => WaitingWals.AcceptLoss(entry, _file, null));

        Assert.Equal("fast", Assert.Single(lost).Topic);
        Assert.False(_script.State.Cluster.Wals.ContainsKey(_file));
        Assert.Equal(WalState.AwaitsRecovery, _script.State.Cluster.Wals[_object].State);
        Assert.NotNull(Stream("safe").OpenRange);
    }

    [Fact]
    public void What_is_open_in_the_name_of_one_that_never_had_a_default_is_complete()
    {
        var poor = _script.Register(withWal: false, name: "poor");
        _script.RegisterWal(poor, WalKind.Object, isAdditional: true);
        var stream = _script.OpenStream(poor);

        _script.Do(entry => NodeOperations.Fence(entry, poor));

        Assert.Null(_script.Stream(stream).OpenRange);
    }

    [Fact]
    public void A_topic_cannot_ask_for_what_a_broker_that_lives_does_not_have()
    {
        Assert.Contains("no such WAL at broker 0. Start each with one more", Create("new", "block"), StringComparison.Ordinal);
        Assert.Contains("--wal block:///PATH", Set("fast", "block"), StringComparison.Ordinal);

        // It is about to start: its default is not known yet.
        var starting = _script.Register(withWal: false, name: "second");
        Assert.Null(Set("fast", "object"));
        _script.RegisterWal(starting, WalKind.File);
        Assert.Contains("no such WAL at broker 1.", Set("fast", "object"), StringComparison.Ordinal);
        Assert.Null(Set("fast", "file"));
        Assert.Null(Set("fast", "default"));
        Assert.NotNull(Set("fast", "memory"));
    }

    [Fact]
    public void An_incarnation_has_one_WAL_of_a_kind_and_one_default()
    {
        Assert.Throws<ArgumentException>(() => _script.RegisterWal(_node, WalKind.Object, isAdditional: true));
        Assert.Throws<ArgumentException>(() => _script.RegisterWal(_node, WalKind.Block));
        _script.RegisterWal(_node, WalKind.Block, isAdditional: true);
        Assert.Equal(3, _script.State.Cluster.WalsOf(_node.Node, _node.Epoch).Count());
    }

    private PartitionImage Partition(string topic) => _script.State.Cluster.Topics[topic].Partitions[0];

    private StreamState Stream(string topic) => _script.Stream(Partition(topic).Stream);

    /// <summary>Null if it was created, else why not.</summary>
    private string? Create(string topic, string wal)
    {
        var request = new CreateTopicsRequest
        {
            Topics = [new() { Name = topic, NumPartitions = 1, ReplicationFactor = 1, Configs = [new() { Name = TopicConfigs.Wal, Value = wal }] }],
        };
        var created = Assert.Single(_script.Do(entry => new TopicCreation(ClusterScript.Configs, _script.Random).Create(entry, request)).Topics);
        return WhyRefused((ErrorCode)created.ErrorCode, created.ErrorMessage);
    }

    /// <summary>Null if it was set, or (null) unset, else why not.</summary>
    private string? Set(string topic, string? wal)
    {
        var request = new IncrementalAlterConfigsRequest
        {
            Resources =
            [
                new()
                {
                    ResourceType = (sbyte)ConfigResourceType.Topic,
                    ResourceName = topic,
                    Configs = [new() { Name = TopicConfigs.Wal, ConfigOperation = (sbyte)(wal is null ? 1 : 0), Value = wal }],
                },
            ],
        };
        var set = Assert.Single(_script.Do(entry => new ConfigChanges(ClusterScript.Configs).Alter(entry, request)).Responses);
        return WhyRefused((ErrorCode)set.ErrorCode, set.ErrorMessage);
    }

    private static string? WhyRefused(ErrorCode error, string? message)
    {
        if (error == ErrorCode.None)
        {
            return null;
        }

        Assert.Equal(ErrorCode.InvalidConfig, error);
        return message;
    }

    /// <summary>The leader hands a partition over that is planned to nobody. Returns what it has taken.</summary>
    private IEnumerable<Type> Close(string topic, long end)
    {
        var partition = Partition(topic);
        var request = new StreamOpsRequest
        {
            NodeId = _node.Node.Value,
            NodeEpoch = _node.Epoch.Value,
            Closes = [new() { StreamId = partition.Stream.Value, Epoch = partition.Epoch.Value, EndOffset = end, HandsOver = true }],
        };
        return _script.Do<IReadOnlyList<Type>>(entry =>
        {
            StreamRequests.Decide(entry, request);
            return [.. entry.Records.Select(record => record.GetType())];
        });
    }
}
