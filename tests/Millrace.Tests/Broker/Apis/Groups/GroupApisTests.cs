using System.Text;
using Millrace.Broker.Apis.Groups;
using Millrace.Broker.Apis.Topics;
using Millrace.Coordination.Groups;
using Millrace.Protocol;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Broker.Apis.Groups;

/// <summary>The group handlers at every version, through the codec and down to the streams.</summary>
public sealed class GroupApisTests : IAsyncDisposable
{
    private static readonly Guid TopicId = new("00000000-0000-0000-0000-00000000000a");
    private readonly TestStorage _storage = new();
    private readonly TestRegistry _registry = new();
    private readonly GroupBroker _broker;

    public GroupApisTests() => _broker = GroupBroker.Start(_registry, _storage);

    public async ValueTask DisposeAsync()
    {
        await _broker.DisposeAsync();
        await _storage.DisposeAsync();
    }

    [Fact]
    public async Task The_first_question_for_a_coordinator_creates_the_topic()
    {
        var handler = new FindCoordinatorHandler(
            _broker.Identity, _broker.Feed, new ControllerDeeds(_broker.Node.Runtime, _broker.Controller));
        for (short version = 0; version <= 6; version++)
        {
            var request = version < 4 ? new FindCoordinatorRequest { Key = "g" } : new FindCoordinatorRequest { CoordinatorKeys = ["g", ""] };
            var answer = await _broker.AskAsync(handler, request, version);
            var found = version < 4 ? (answer.ErrorCode, answer.NodeId, answer.Host, answer.Port)
                : (answer.Coordinators[0].ErrorCode, answer.Coordinators[0].NodeId, answer.Coordinators[0].Host, answer.Coordinators[0].Port);
            Assert.Equal(((short)ErrorCode.None, 1, "localhost", 9092), found);
        }

        Assert.Equal((3, (short)3), (_broker.Controller.Asked!.Topics[0].NumPartitions, _broker.Controller.Asked.Topics[0].ReplicationFactor));
        Assert.Equal("compact", _broker.Controller.Asked.Topics[0].Configs.Single(config => config.Name == "cleanup.policy").Value);
    }

    [Fact]
    public async Task Coordinators_of_other_kinds_are_refused_for_good()
    {
        var handler = new FindCoordinatorHandler(
            _broker.Identity, _broker.Feed, new ControllerDeeds(_broker.Node.Runtime, _broker.Controller));
        var transaction = await _broker.AskAsync(handler, new FindCoordinatorRequest { Key = "t", KeyType = 1 }, 1);
        Assert.Equal((short)ErrorCode.TransactionalIdAuthorizationFailed, transaction.ErrorCode);
        var newer = await _broker.AskAsync(handler, new FindCoordinatorRequest { CoordinatorKeys = ["t"], KeyType = 1 }, 4);
        Assert.Equal(
            ((short)ErrorCode.InvalidRequest, "Transactions are not served by this broker."),
            (newer.Coordinators[0].ErrorCode, newer.Coordinators[0].ErrorMessage));
        var share = await _broker.AskAsync(handler, new FindCoordinatorRequest { CoordinatorKeys = ["s"], KeyType = 2 }, 6);
        Assert.Equal((short)ErrorCode.InvalidRequest, share.Coordinators[0].ErrorCode);
        Assert.Null(_broker.Controller.Asked);
    }

    [Fact]
    public async Task Offsets_are_forgotten_where_no_member_consumes_them()
    {
        await FindAsync();
        Assert.Equal((short)ErrorCode.None, (await CommitAsync("g", "", -1, 5, 7))[0]);

        var unknown = await DeleteOffsetsAsync("absent", 0);
        var nameless = await DeleteOffsetsAsync("", 0);
        var deleted = await DeleteOffsetsAsync("g", 0, 1, 9);

        Assert.Equal((short)ErrorCode.GroupIdNotFound, unknown.ErrorCode);
        Assert.Equal((short)ErrorCode.InvalidGroupId, nameless.ErrorCode);
        Assert.Equal(
            [(9, (short)ErrorCode.UnknownTopicOrPartition), (0, (short)ErrorCode.None), (1, (short)ErrorCode.None)],
            Assert.Single(deleted.Topics).Partitions.Select(partition => (partition.PartitionIndex, partition.ErrorCode)));
        var left = await _broker.AskAsync(
            new OffsetFetchHandler(_broker.Feed, _broker.Groups),
            new OffsetFetchRequest { GroupId = "g", Topics = [new() { Name = GroupBroker.Topic, PartitionIndexes = [0] }] },
            5);
        Assert.Equal(-1, left.Topics[0].Partitions[0].CommittedOffset);
    }

    [Fact]
    public async Task Without_a_topic_nobody_is_coordinator()
    {
        Assert.Equal((short)ErrorCode.NotCoordinator, (await JoinAsync("g", "", 3)).ErrorCode);
        Assert.Equal((short)ErrorCode.NotCoordinator, (await CommitAsync("g", "", -1, 5, 7))[0]);
        Assert.Equal((short)ErrorCode.NotCoordinator, (await FetchAsync("g", 1)).ErrorOfPartition);
        Assert.Equal((short)ErrorCode.NotCoordinator, (await FetchAsync("g", 5)).Error);
        Assert.Empty((await _broker.AskAsync(new ListGroupsHandler(_broker.Groups), new ListGroupsRequest(), 5)).Groups);
    }

    [Fact]
    public async Task A_member_lives_through_every_version_of_its_requests()
    {
        await FindAsync();
        for (short version = 0; version <= 9; version++)
        {
            var group = $"g{version}";
            var joined = await JoinAsync(group, "", version);
            if (version >= 4)
            {
                Assert.Equal((short)ErrorCode.MemberIdRequired, joined.ErrorCode);
                joined = await JoinAsync(group, joined.MemberId, version);
            }

            Assert.Equal(((short)ErrorCode.None, 1, joined.MemberId, "range"), (joined.ErrorCode, joined.GenerationId, joined.Leader, joined.ProtocolName));
            Assert.Equal("meta", Encoding.UTF8.GetString(joined.Members[0].Metadata.Span));
            var synced = await SyncAsync(group, joined, Math.Min(version, (short)5));
            Assert.Equal(((short)ErrorCode.None, "mine"), (synced.ErrorCode, Encoding.UTF8.GetString(synced.Assignment.Span)));
            var heartbeat = new HeartbeatRequest { GroupId = group, GenerationId = 1, MemberId = joined.MemberId };
            Assert.Equal(
                (short)ErrorCode.None,
                (await _broker.AskAsync(new HeartbeatHandler(_broker.Groups), heartbeat, Math.Min(version, (short)4))).ErrorCode);
            var committed = await CommitAsync(group, joined.MemberId, 1, 40 + version, Math.Clamp(version, (short)2, (short)9));
            Assert.Equal([(short)ErrorCode.None, (short)ErrorCode.UnknownTopicOrPartition], committed);

            var described = await DescribeAsync(group, Math.Min(version, (short)6));
            Assert.Equal(("Stable", "consumer", "range"), (described.GroupState, described.ProtocolType, described.ProtocolData));
            Assert.Equal(
                ("tester", "/127.0.0.1", "mine"),
                (described.Members[0].ClientId, described.Members[0].ClientHost, Encoding.UTF8.GetString(described.Members[0].MemberAssignment.Span)));
            Assert.Equal((short)ErrorCode.NonEmptyGroup, await DeleteAsync(group, 2));
            await LeaveAsync(group, joined.MemberId, Math.Min(version, (short)5));
            Assert.Equal("Empty", (await DescribeAsync(group, 6)).GroupState);
            Assert.Equal((short)ErrorCode.None, await DeleteAsync(group, (short)(version % 3)));
        }
    }

    [Fact]
    public async Task Offsets_are_committed_and_fetched_at_every_version()
    {
        await FindAsync();
        for (short version = 2; version <= 10; version++)
        {
            var committed = await CommitAsync("g", "", -1, 40 + version, version);
            Assert.Equal([(short)ErrorCode.None, (short)(version < 10 ? ErrorCode.UnknownTopicOrPartition : ErrorCode.UnknownTopicId)], committed);
            for (short fetch = 1; fetch <= 10; fetch++)
            {
                Assert.Equal(((short)0, 40L + version, (short)0), await FetchAsync("g", fetch));
            }
        }

        Assert.Equal(50, (await FetchAllAsync("g", 2))[GroupBroker.Topic]);
        Assert.Equal(50, (await FetchAllAsync("g", 9))[GroupBroker.Topic]);
        Assert.Equal(50, (await FetchAllAsync("g", 10))[TopicId.ToString()]);
    }

    [Fact]
    public async Task Groups_go_on_while_producers_wait_for_room()
    {
        await FindAsync();
        var joined = await JoinAsync("g", "", 3);
        await SyncAsync("g", joined, 3);
        var store = _broker.Node.Store;
        using var held = await store.Budget.AdmitAsync(1, default);
        using var patience = new CancellationTokenSource();
        var parked = store.Budget.AdmitAsync(store.Options.NotUploadedBytes, patience.Token).AsTask();
        Assert.False(parked.IsCompleted);

        Assert.Equal((short)ErrorCode.None, (await CommitAsync("g", joined.MemberId, 1, 41, 7))[0]);
        var heartbeat = new HeartbeatRequest { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId };
        Assert.Equal((short)ErrorCode.None, (await _broker.AskAsync(new HeartbeatHandler(_broker.Groups), heartbeat, 4)).ErrorCode);
        Assert.False(parked.IsCompleted);
        patience.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => parked);
    }

    [Fact]
    public async Task A_topic_that_is_deleted_takes_its_offsets_along()
    {
        await FindAsync();
        await CommitAsync("g", "", -1, 5, 7);
        _broker.RemoveTopic(GroupBroker.Topic);
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await FetchAllAsync("g", 2)).Count == 0));
    }

    [Fact]
    public async Task Groups_are_listed_by_state_and_type_and_unknown_ones_are_told_as_each_version_can()
    {
        await FindAsync();
        await CommitAsync("offsets-only", "", -1, 5, 7);
        for (short version = 0; version <= 5; version++)
        {
            var listed = Assert.Single((await _broker.AskAsync(new ListGroupsHandler(_broker.Groups), new ListGroupsRequest(), version)).Groups);
            Assert.Equal(("offsets-only", version >= 4 ? "Empty" : "", version >= 5 ? "classic" : ""), (listed.GroupId, listed.GroupState, listed.GroupType));
        }

        Assert.Empty((await _broker.AskAsync(new ListGroupsHandler(_broker.Groups), new ListGroupsRequest { StatesFilter = ["stable"] }, 4)).Groups);
        Assert.Single((await _broker.AskAsync(
            new ListGroupsHandler(_broker.Groups), new ListGroupsRequest { StatesFilter = ["empty"], TypesFilter = ["Classic"] }, 5)).Groups);
        Assert.Empty((await _broker.AskAsync(new ListGroupsHandler(_broker.Groups), new ListGroupsRequest { TypesFilter = ["consumer"] }, 5)).Groups);
        Assert.Equal(((short)ErrorCode.None, "Dead"), ((await DescribeAsync("none", 5)).ErrorCode, (await DescribeAsync("none", 5)).GroupState));
        Assert.Equal(((short)ErrorCode.GroupIdNotFound, "Dead"), ((await DescribeAsync("none", 6)).ErrorCode, (await DescribeAsync("none", 6)).GroupState));
        Assert.Equal((short)ErrorCode.GroupIdNotFound, await DeleteAsync("none", 2));
        Assert.Equal((short)ErrorCode.GroupIdNotFound, (await CommitAsync("none", "m", 3, 1, 9))[0]);
        Assert.Equal((short)ErrorCode.IllegalGeneration, (await CommitAsync("none", "m", 3, 1, 8))[0]);
    }

    [Fact]
    public async Task Members_of_a_sync_must_name_their_protocol_from_v5_on()
    {
        await FindAsync();
        var joined = await JoinAsync("g", "", 3);
        var request = new SyncGroupRequest { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId };
        Assert.Equal((short)ErrorCode.InconsistentGroupProtocol, (await _broker.AskAsync(new SyncGroupHandler(_broker.Groups), request, 5)).ErrorCode);
        Assert.Equal((short)ErrorCode.None, (await _broker.AskAsync(new SyncGroupHandler(_broker.Groups), request, 4)).ErrorCode);
    }

    [Fact]
    public async Task Groups_and_offsets_are_there_after_a_restart()
    {
        await FindAsync();
        var joined = await JoinAsync("g", "", 3);
        await SyncAsync("g", joined, 3);
        await CommitAsync("g", joined.MemberId, 1, 77, 7);
        // These live in the same partition, so that the removal is replayed before what is looked for.
        var deleted = Enumerable.Range(0, 100)
            .Select(i => $"deleted{i}")
            .First(name => GroupCoordinator.PartitionOf(name, 3) == GroupCoordinator.PartitionOf("g", 3));
        await CommitAsync(deleted, "", -1, 5, 7);
        Assert.Equal((short)ErrorCode.None, await DeleteAsync(deleted, 2));
        await _broker.CloseAsync();

        await using var next = GroupBroker.Start(_registry, _storage, epoch: 2);
        next.Controller.Lead(_broker.Controller.Streams);
        var heartbeat = new HeartbeatRequest { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId };
        Assert.True(await Eventually.BecomesTrueAsync(async () =>
            (await next.AskAsync(new DescribeGroupsHandler(next.Groups), new DescribeGroupsRequest { Groups = ["g"] }, 6)).Groups[0].GroupState == "Stable"));
        Assert.Equal((short)ErrorCode.None, (await next.AskAsync(new HeartbeatHandler(next.Groups), heartbeat, 4)).ErrorCode);
        Assert.Equal(77, (await FetchAsync("g", 7, next)).Offset);
        Assert.Equal(-1, (await FetchAsync(deleted, 7, next)).Offset);
    }

    [Fact]
    public async Task While_its_shard_loads_all_that_is_asked_of_a_group_is_refused_so_but_heartbeats()
    {
        await FindAsync();
        var joined = await JoinAsync("g", "", 3);
        await SyncAsync("g", joined, 3);
        await CommitAsync("g", joined.MemberId, 1, 77, 7);
        await _broker.CloseAsync();
        var reads = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _storage.BeforeRead = _ => new ValueTask(reads.Task);

        await using var next = GroupBroker.Start(_registry, _storage, epoch: 2);
        next.Controller.Lead(_broker.Controller.Streams);
        var loads = (short)ErrorCode.CoordinatorLoadInProgress;
        var heartbeat = new HeartbeatRequest { GroupId = "g", GenerationId = 1, MemberId = joined.MemberId };
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(loads, (await JoinAsync("g", joined.MemberId, 5, next)).ErrorCode);
            Assert.Equal(loads, (await SyncAsync("g", joined, 5, next)).ErrorCode);
            Assert.Equal(loads, (await CommitAsync("g", joined.MemberId, 1, 78, 7, next))[0]);
            Assert.Equal(loads, (await FetchAsync("g", 1, next)).ErrorOfPartition);
            Assert.Equal(loads, (await FetchAsync("g", 7, next)).Error);
            Assert.Equal(loads, (await next.AskAsync(new ListGroupsHandler(next.Groups), new ListGroupsRequest(), 5)).ErrorCode);
            Assert.Equal(
                loads,
                (await next.AskAsync(new DescribeGroupsHandler(next.Groups), new DescribeGroupsRequest { Groups = ["g"] }, 6)).Groups[0].ErrorCode);
            Assert.Equal((short)ErrorCode.None, (await next.AskAsync(new HeartbeatHandler(next.Groups), heartbeat, 4)).ErrorCode);

            // Also once its partition has been looked for in the store.
            await TestNode.UntilAsync(() => _storage.Reads > 0);
        }

        reads.SetResult();
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await FetchAsync("g", 7, next)) == (0, 77, 0)));
        Assert.Equal((short)ErrorCode.None, (await next.AskAsync(new HeartbeatHandler(next.Groups), heartbeat, 4)).ErrorCode);
    }

    [Fact]
    public async Task A_commit_is_answered_when_it_is_durable_and_not_before()
    {
        await FindAsync();
        await CommitAsync("g", "", -1, 1, 7);
        _broker.Node.Wal.Hold();
        var committing = CommitAsync("g", "", -1, 2, 7);
        var fetching = FetchAsync("g", 7);
        Assert.False(committing.IsCompleted);
        _broker.Node.Wal.Release();
        Assert.Equal((short)ErrorCode.None, (await committing)[0]);
        Assert.InRange((await fetching).Offset, 1, 2);
        Assert.Equal(2, (await FetchAsync("g", 7)).Offset);
    }

    [Fact]
    public async Task When_the_log_fails_the_commit_is_not_acknowledged_and_the_shard_is_gone()
    {
        await FindAsync();
        await CommitAsync("g", "", -1, 1, 7);
        _broker.Node.Wal.Hold();
        var committing = CommitAsync("g", "", -1, 2, 7);
        await TestNode.UntilAsync(() => _broker.Node.Wal.Records.Count == 2);
        _broker.Node.Wal.Fail(Millrace.Streams.StreamError.Fenced);
        Assert.Equal((short)ErrorCode.NotCoordinator, (await committing)[0]);
        Assert.Equal((short)ErrorCode.NotCoordinator, (await FetchAsync("g", 7)).Error);
    }

    private async Task FindAsync()
    {
        var handler = new FindCoordinatorHandler(
            _broker.Identity, _broker.Feed, new ControllerDeeds(_broker.Node.Runtime, _broker.Controller));
        Assert.Equal((short)ErrorCode.None, (await _broker.AskAsync(handler, new FindCoordinatorRequest { Key = "g" }, 2)).ErrorCode);

        // The shards load in the background; a client would ask again.
        Assert.True(await Eventually.BecomesTrueAsync(async () => (await _broker.Groups.ListAsync(CancellationToken.None)).Error == GroupError.None));
    }

    private Task<JoinGroupResponse> JoinAsync(string group, string memberId, short version, GroupBroker? broker = null) =>
        (broker ?? _broker).AskAsync(
            new JoinGroupHandler((broker ?? _broker).Groups),
            new JoinGroupRequest
            {
                GroupId = group,
                SessionTimeoutMs = 30_000,
                RebalanceTimeoutMs = version >= 1 ? 60_000 : -1,
                MemberId = memberId,
                ProtocolType = "consumer",
                Protocols = [new() { Name = "range", Metadata = Encoding.UTF8.GetBytes("meta") }],
            },
            version);

    private Task<SyncGroupResponse> SyncAsync(string group, JoinGroupResponse joined, short version, GroupBroker? broker = null) =>
        (broker ?? _broker).AskAsync(
            new SyncGroupHandler((broker ?? _broker).Groups),
            new SyncGroupRequest
            {
                GroupId = group,
                GenerationId = joined.GenerationId,
                MemberId = joined.MemberId,
                ProtocolType = version >= 5 ? "consumer" : null,
                ProtocolName = version >= 5 ? "range" : null,
                Assignments = [new() { MemberId = joined.MemberId, Assignment = Encoding.UTF8.GetBytes("mine") }],
            },
            version);

    private async Task LeaveAsync(string group, string memberId, short version)
    {
        var request = version < 3 ? new LeaveGroupRequest { GroupId = group, MemberId = memberId }
            : new LeaveGroupRequest { GroupId = group, Members = [new() { MemberId = memberId }, new() { MemberId = "stranger" }] };
        var answer = await _broker.AskAsync(new LeaveGroupHandler(_broker.Groups), request, version);
        Assert.Equal((short)ErrorCode.None, answer.ErrorCode);
        Assert.Equal(version < 3 ? [] : [(short)ErrorCode.None, (short)ErrorCode.UnknownMemberId], answer.Members.Select(member => member.ErrorCode));
    }

    /// <summary>Commits to a partition that is there and one that is not.</summary>
    private async Task<short[]> CommitAsync(string group, string memberId, int generation, long offset, short version, GroupBroker? broker = null)
    {
        broker ??= _broker;
        var byId = version >= 10;
        var partitions = new[]
        {
            new OffsetCommitRequest.OffsetCommitRequestPartition { PartitionIndex = 1, CommittedOffset = offset, CommittedMetadata = null },
        };
        var request = new OffsetCommitRequest
        {
            GroupId = group,
            GenerationIdOrMemberEpoch = generation,
            MemberId = memberId,
            Topics =
            [
                new() { Name = byId ? "" : GroupBroker.Topic, TopicId = byId ? TopicId : Guid.Empty, Partitions = partitions },
                new() { Name = byId ? "" : "nothing", TopicId = byId ? Guid.NewGuid() : Guid.Empty, Partitions = partitions },
            ],
        };
        var answer = await broker.AskAsync(new OffsetCommitHandler(broker.Feed, broker.Groups), request, version);
        return [.. answer.Topics.Select(topic => topic.Partitions[0].ErrorCode)];
    }

    private async Task<(short Error, long Offset, short ErrorOfPartition)> FetchAsync(string group, short version, GroupBroker? broker = null)
    {
        broker ??= _broker;
        var handler = new OffsetFetchHandler(broker.Feed, broker.Groups);
        if (version < 8)
        {
            var one = await broker.AskAsync(
                handler, new OffsetFetchRequest { GroupId = group, Topics = [new() { Name = GroupBroker.Topic, PartitionIndexes = [1] }] }, version);
            var offset = one.Topics.Count == 0 ? null : one.Topics[0].Partitions[0];
            return (one.ErrorCode, offset?.CommittedOffset ?? -1, offset?.ErrorCode ?? 0);
        }

        var request = new OffsetFetchRequest
        {
            Groups =
            [
                new()
                {
                    GroupId = group,
                    Topics =
                    [
                        new() { Name = version < 10 ? GroupBroker.Topic : "", TopicId = version < 10 ? Guid.Empty : TopicId, PartitionIndexes = [1] },
                        new() { Name = version < 10 ? "nothing" : "", TopicId = version < 10 ? Guid.Empty : Guid.NewGuid(), PartitionIndexes = [0] },
                    ],
                },
                new() { GroupId = "other", Topics = null },
            ],
        };
        var several = await broker.AskAsync(handler, request, version);
        Assert.Equal(["g", "other"], several.Groups.Select(answered => answered.GroupId));
        Assert.Empty(several.Groups[1].Topics);
        var (known, unknown) = (several.Groups[0].Topics[0].Partitions[0], several.Groups[0].Topics[1].Partitions[0]);
        Assert.Equal((-1L, (short)(version < 10 ? ErrorCode.None : ErrorCode.UnknownTopicId)), (unknown.CommittedOffset, unknown.ErrorCode));
        return (several.Groups[0].ErrorCode, known.CommittedOffset, known.ErrorCode);
    }

    private async Task<Dictionary<string, long>> FetchAllAsync(string group, short version)
    {
        var request = version < 8
            ? new OffsetFetchRequest { GroupId = group, Topics = null }
            : new OffsetFetchRequest { Groups = [new() { GroupId = group, Topics = null }] };
        var answer = await _broker.AskAsync(new OffsetFetchHandler(_broker.Feed, _broker.Groups), request, version);
        return version < 8 ? answer.Topics.ToDictionary(topic => topic.Name, topic => topic.Partitions[0].CommittedOffset)
            : answer.Groups[0].Topics.ToDictionary(topic => version < 10 ? topic.Name : topic.TopicId.ToString(), topic => topic.Partitions[0].CommittedOffset);
    }

    private async Task<DescribeGroupsResponse.DescribedGroup> DescribeAsync(string group, short version) =>
        (await _broker.AskAsync(
            new DescribeGroupsHandler(_broker.Groups),
            new DescribeGroupsRequest { Groups = [group], IncludeAuthorizedOperations = version >= 3 },
            version)).Groups[0];

    private async Task<short> DeleteAsync(string group, short version) =>
        (await _broker.AskAsync(new DeleteGroupsHandler(_broker.Groups), new DeleteGroupsRequest { GroupsNames = [group] }, version)).Results[0].ErrorCode;

    private Task<OffsetDeleteResponse> DeleteOffsetsAsync(string group, params int[] partitions) => _broker.AskAsync(
        new OffsetDeleteHandler(_broker.Feed, _broker.Groups),
        new OffsetDeleteRequest
        {
            GroupId = group,
            Topics =
            [
                new()
                {
                    Name = GroupBroker.Topic,
                    Partitions = [.. partitions.Select(partition => new OffsetDeleteRequest.OffsetDeleteRequestPartition { PartitionIndex = partition })],
                },
            ],
        },
        0);
}
