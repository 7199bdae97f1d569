using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Xunit;

namespace Millrace.Tests.Coordination.Groups.Offsets;

public sealed class OffsetTests
{
    private static readonly Guid First = new("11111111-1111-1111-1111-111111111111");
    private static readonly Guid Second = new("22222222-2222-2222-2222-222222222222");
    private readonly GroupShardDriver _driver = new();

    [Fact]
    public void Offsets_are_stored_without_membership_and_found_after_a_failover()
    {
        Assert.Equal(GroupError.None, Commit(("t", 0, 5), ("t", 3, 7), ("u", 0, 9)).Error);
        _driver.Load();
        Assert.Equal(
            [new PartitionOffset(3, 7, 4, "note"), new PartitionOffset(1, -1, -1, ""), new PartitionOffset(0, 5, 4, "note")],
            Fetch("t", Guid.Empty, 3, 1, 0));
        var all = _driver.Get<OffsetFetchAnswer>((shard, reply) => shard.Fetch(new OffsetFetchQuery("g", null), reply));
        Assert.Equal(["t", "u"], all.Topics.Select(topic => topic.Topic));
        Assert.Equal([0, 3], all.Topics[0].Partitions.Select(partition => partition.Partition));
        Assert.Equal([new GroupListing("g", "", GroupState.Empty, "classic")], _driver.Get<IReadOnlyList<GroupListing>>((shard, reply) => shard.List(reply)));
    }

    [Fact]
    public void An_unknown_group_has_no_offsets_and_that_is_no_error()
    {
        Assert.Equal([PartitionOffset.None(0)], Fetch("t", Guid.Empty, 0));
        var all = _driver.Get<OffsetFetchAnswer>((shard, reply) => shard.Fetch(new OffsetFetchQuery("none", null), reply));
        Assert.Equal((GroupError.None, 0), (all.Error, all.Topics.Count));
    }

    [Fact]
    public void Offsets_of_a_topic_that_was_deleted_are_not_those_of_the_next_one_of_its_name()
    {
        Commit([new OffsetToCommit("t", First, 0, 5, -1, "")]);
        Assert.Equal(5, Fetch("t", First, 0)[0].Offset);
        Assert.Equal(5, Fetch("t", Guid.Empty, 0)[0].Offset);
        Assert.Equal(-1, Fetch("t", Second, 0)[0].Offset);
        _driver.Load();
        Assert.Equal(-1, Fetch("t", Second, 0)[0].Offset);

        _driver.Ask<GroupError>((shard, reply) => shard.RemoveTopic("t", Second, reply));
        Assert.Equal(5, Fetch("t", First, 0)[0].Offset);
        _driver.Ask<GroupError>((shard, reply) => shard.RemoveTopic("t", First, reply));
        Assert.Equal(-1, Fetch("t", First, 0)[0].Offset);
    }

    [Fact]
    public void Offsets_of_a_topic_that_members_consume_are_not_deleted_and_others_are()
    {
        Commit(("t", 0, 5), ("u", 0, 9));
        var member = new Client(_driver, "a").Join();
        _driver.Advance(TimeSpan.FromSeconds(10));
        member.Sync((member, "x"));

        var answer = Delete("t", "u");

        Assert.Equal(GroupError.None, answer.Error);
        Assert.Equal(["t"], answer.SubscribedTopics);
        Assert.Equal(5, Fetch("t", Guid.Empty, 0)[0].Offset);
        Assert.Equal(-1, Fetch("u", Guid.Empty, 0)[0].Offset);
    }

    [Fact]
    public void Of_a_group_whose_members_are_no_consumers_no_offset_is_deleted()
    {
        Commit(("u", 0, 9));
        new Client(_driver, "a") { ProtocolType = "connect" }.Join();

        Assert.Equal(GroupError.NonEmptyGroup, Delete("u").Error);
        Assert.Equal(9, Fetch("u", Guid.Empty, 0)[0].Offset);
    }

    [Fact]
    public void Metadata_that_is_too_long_is_refused_and_the_rest_is_stored()
    {
        var answer = Commit(
        [
            new OffsetToCommit("t", Guid.Empty, 0, 5, -1, new string('x', 4096)),
            new OffsetToCommit("t", Guid.Empty, 1, 5, -1, new string('x', 4097)),
        ]);
        Assert.Equal([GroupError.None, GroupError.OffsetMetadataTooLarge], answer.Offsets);
        Assert.Equal([5L, -1L], Fetch("t", Guid.Empty, 0, 1).Select(offset => offset.Offset));
    }

    [Fact]
    public void A_commit_larger_than_a_batch_is_refused_as_a_whole()
    {
        var driver = new GroupShardDriver { MaxBatchBytes = 10_000 };
        driver.Load();
        var offsets = Enumerable.Range(0, 100).Select(partition => new OffsetToCommit("t", Guid.Empty, partition, 1, -1, "")).ToList();
        Assert.Equal(GroupError.CommitTooLarge, driver.Get<OffsetCommitAnswer>((shard, reply) => shard.Commit(Command(offsets), reply)).Error);
        Assert.Empty(driver.Records);
        Assert.Equal(GroupError.None, driver.Get<OffsetCommitAnswer>((shard, reply) => shard.Commit(Command(offsets[..50]), reply)).Error);
    }

    [Fact]
    public void Only_members_of_the_generation_commit_to_a_group_that_has_members()
    {
        var a = _driver.Client("a").Join();
        Assert.Equal(GroupError.UnknownMember, Commit(("t", 0, 5)).Error);
        _driver.AdvanceSeconds(3);
        Assert.Equal(GroupError.RebalanceInProgress, a.Commit(1).Error);
        a.Sync((a, "0"));
        Assert.Equal(GroupError.None, a.Commit(1).Error);
        Assert.Equal(GroupError.UnknownMember, Commit(("t", 0, 5)).Error);
        Assert.Equal(GroupError.UnknownMember, new Client(_driver, "x") { MemberId = "nobody", Generation = 1 }.Commit(1).Error);

        // While the others rebalance, what was consumed can still be committed.
        _driver.Client("b").Join();
        Assert.Equal(GroupError.None, a.Commit(2).Error);
        a.Generation = 0;
        Assert.Equal(GroupError.IllegalGeneration, a.Commit(3).Error);
        Assert.Equal(2, Fetch("t", Guid.Empty, 0)[0].Offset);
    }

    [Fact]
    public void A_member_of_a_group_that_is_gone_hears_so_in_words_it_knows()
    {
        var lost = new Client(_driver, "a") { MemberId = "m", Generation = 3 };
        Assert.Equal(GroupError.GroupNotFound, lost.Commit(1).Error);
        Assert.Equal(GroupError.IllegalGeneration, lost.Commit(1, knowsGroupNotFound: false).Error);
    }

    [Fact]
    public void A_commit_keeps_its_member_alive()
    {
        var a = _driver.Client("a").Join();
        _driver.AdvanceSeconds(3);
        a.Sync((a, "0"));
        for (var i = 0; i < 5; i++)
        {
            _driver.AdvanceSeconds(8);
            Assert.Equal(GroupError.None, a.Commit(i).Error);
        }
    }

    [Fact]
    public void Only_an_empty_group_can_be_deleted_and_its_offsets_go_with_it()
    {
        Assert.Equal(GroupError.GroupNotFound, Delete());
        var a = _driver.Client("a").Join();
        _driver.AdvanceSeconds(3);
        a.Sync((a, "0"));
        a.Commit(4);
        Assert.Equal(GroupError.NonEmptyGroup, Delete());
        a.Leave();
        _driver.Transcript();
        Assert.Equal(GroupError.None, Delete());
        Assert.Equal(
            """
            log: offset g t-0 removed
            log: group g removed
            """,
            _driver.Transcript());
        Assert.Equal(GroupError.GroupNotFound, Delete());
        Assert.Equal("", _driver.ReplayedState());
    }

    [Fact]
    public void A_group_without_members_expires_with_its_offsets_after_the_retention_time()
    {
        var driver = new GroupShardDriver(new GroupOptions { OffsetsRetention = TimeSpan.FromDays(1) });
        var a = driver.Client("a").Join();
        driver.AdvanceSeconds(3);
        a.Sync((a, "0"));
        a.Commit(4);
        driver.AdvanceSeconds(5);
        a.Leave();
        driver.Advance(TimeSpan.FromHours(23.9));
        driver.Transcript();
        driver.Load();
        driver.Advance(TimeSpan.FromHours(0.5));
        Assert.Equal(
            """
            log: offset g t-0 removed
            log: group g removed
            """,
            driver.Transcript());
        Assert.Empty(driver.Get<IReadOnlyList<GroupListing>>((shard, reply) => shard.List(reply)));
    }

    [Fact]
    public void Offsets_without_a_group_expire_one_by_one_from_their_commit()
    {
        var driver = new GroupShardDriver(new GroupOptions { OffsetsRetention = TimeSpan.FromDays(1) });
        var outsider = driver.Client("a");
        outsider.Commit(1, topic: "old");
        driver.Advance(TimeSpan.FromHours(12));
        outsider.Commit(1, topic: "new");
        driver.Transcript();
        driver.Advance(TimeSpan.FromHours(12.5));
        Assert.Equal("log: offset g old-0 removed", driver.Transcript());
        driver.Advance(TimeSpan.FromHours(12));
        Assert.Equal("log: offset g new-0 removed", driver.Transcript());
        Assert.Empty(driver.Get<IReadOnlyList<GroupListing>>((shard, reply) => shard.List(reply)));
    }

    [Fact]
    public void In_a_living_group_only_offsets_of_topics_that_nobody_consumes_expire()
    {
        var driver = new GroupShardDriver(new GroupOptions { OffsetsRetention = TimeSpan.FromHours(1) });
        var a = new Client(driver, "a") { SessionTimeout = TimeSpan.FromMinutes(30) }.Join();
        driver.AdvanceSeconds(3);
        a.Sync((a, "0"));
        a.Commit(4, topic: "t");
        a.Commit(4, topic: "unused");
        driver.Transcript();
        for (var i = 0; i < 8; i++)
        {
            driver.Advance(TimeSpan.FromMinutes(15));
            Assert.Equal(GroupError.None, a.Heartbeat());
        }

        Assert.Equal("log: offset g unused-0 removed", driver.Transcript());
    }

    [Fact]
    public void An_expiry_that_the_client_set_counts_instead_of_the_retention()
    {
        var command = Command([new OffsetToCommit("t", First, 0, 5, 3, "")]) with { Retention = TimeSpan.FromMinutes(20) };
        _driver.Ask<OffsetCommitAnswer>((shard, reply) => shard.Commit(command, reply));
        _driver.Load();
        Assert.Equal(5, Fetch("t", Guid.Empty, 0)[0].Offset);
        _driver.Advance(TimeSpan.FromMinutes(31));
        Assert.Equal(-1, Fetch("t", Guid.Empty, 0)[0].Offset);
    }

    [Fact]
    public void Groups_live_in_the_partition_that_Kafkas_tools_look_in()
    {
        // Java: Math.abs("...".hashCode()) % 50, the sign bit dropped.
        Assert.Equal(0, GroupCoordinator.PartitionOf("", 50));
        Assert.Equal(97 % 50, GroupCoordinator.PartitionOf("a", 50));
        Assert.Equal((int)((unchecked((int)3556498u) & int.MaxValue) % 50), GroupCoordinator.PartitionOf("test", 50));
        // "polygenelubricants" has the hash int.MinValue, whose absolute value is no int.
        Assert.Equal(0, GroupCoordinator.PartitionOf("polygenelubricants", 50));
    }

    private OffsetCommitAnswer Commit(params (string Topic, int Partition, long Offset)[] offsets) =>
        Commit([.. offsets.Select(offset => new OffsetToCommit(offset.Topic, Guid.Empty, offset.Partition, offset.Offset, 4, "note"))]);

    private OffsetCommitAnswer Commit(IReadOnlyList<OffsetToCommit> offsets) =>
        _driver.Get<OffsetCommitAnswer>((shard, reply) => shard.Commit(Command(offsets), reply));

    private static OffsetCommitCommand Command(IReadOnlyList<OffsetToCommit> offsets) =>
        new() { GroupId = "g", Member = new MemberIdentity("", null), Generation = -1, Offsets = offsets };

    private IReadOnlyList<PartitionOffset> Fetch(string topic, Guid topicId, params int[] partitions) =>
        _driver.Get<OffsetFetchAnswer>((shard, reply) => shard.Fetch(
            new OffsetFetchQuery("g", [new TopicOffsetsQuery(topic, topicId, partitions)]), reply)).Topics[0].Partitions;

    private GroupError Delete() => _driver.Get<GroupError>((shard, reply) => shard.Delete("g", reply));

    private OffsetDeleteAnswer Delete(params string[] topics) => _driver.Get<OffsetDeleteAnswer>((shard, reply) => shard.DeleteOffsets(
        new OffsetDeleteCommand("g", [.. topics.Select(topic => new TopicPartitions(topic, [0]))]), reply));
}
