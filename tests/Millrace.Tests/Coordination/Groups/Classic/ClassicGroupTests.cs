using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Xunit;

namespace Millrace.Tests.Coordination.Groups.Classic;

public sealed class ClassicGroupTests
{
    private readonly GroupShardDriver _driver = new();

    [Fact]
    public void Two_members_form_a_group_and_a_third_rebalances_it()
    {
        var a = _driver.Client("a").Join();
        var b = _driver.Client("b").Join();
        _driver.AdvanceSeconds(6);
        b.Sync();
        a.Sync((a, "0"), (b, "1"));
        Assert.Equal(
            """
            a joins
            b joins
            a <- generation 1 leader of 2
            b <- generation 1 follower
            b syncs
            a syncs
            log: group g generation 1 [a:0 b:1]
            b <- assigned 1
            a <- assigned 0
            """,
            _driver.Transcript());

        var c = _driver.Client("c").Join();
        Assert.Equal(GroupError.RebalanceInProgress, a.Heartbeat());
        a.Join();
        b.Join();
        c.Sync();
        b.Sync();
        a.Sync((a, "0"), (b, "1"), (c, "2"));
        Assert.Equal(
            """
            c joins
            a joins
            b joins
            a <- generation 2 leader of 3
            c <- generation 2 follower
            b <- generation 2 follower
            c syncs
            b syncs
            a syncs
            log: group g generation 2 [a:0 b:1 c:2]
            b <- assigned 1
            c <- assigned 2
            a <- assigned 0
            """,
            _driver.Transcript());
        Assert.Equal(GroupError.None, c.Heartbeat());
    }

    [Fact]
    public void A_new_group_waits_for_the_initial_delay_and_longer_while_members_come()
    {
        _driver.Client("a").Join();
        _driver.AdvanceSeconds(2);
        _driver.Client("b").Join();
        _driver.AdvanceSeconds(2);
        _driver.Client("c").Join();
        Assert.DoesNotContain("generation", _driver.Transcript(), StringComparison.Ordinal);
        // b came within the first three seconds, c within the next: only the third three seconds are quiet.
        _driver.AdvanceSeconds(4.9);
        Assert.Equal("", _driver.Transcript());
        _driver.AdvanceSeconds(0.2);
        Assert.Equal(
            """
            a <- generation 1 leader of 3
            b <- generation 1 follower
            c <- generation 1 follower
            """,
            _driver.Transcript());
    }

    [Fact]
    public void The_initial_delay_ends_with_the_rebalance_timeout_however_many_come()
    {
        var driver = new GroupShardDriver();
        var timeout = TimeSpan.FromSeconds(7);
        var first = new Client(driver, "first") { RebalanceTimeout = timeout }.Join();
        for (var second = 0; second < 6; second++)
        {
            driver.AdvanceSeconds(1);
            new Client(driver, $"m{second}") { RebalanceTimeout = timeout }.Join();
        }

        driver.AdvanceSeconds(1);
        Assert.True(first.Joining!.IsGiven);
        Assert.Equal(7, first.Joined.Members.Count);
    }

    [Fact]
    public void A_client_that_knows_member_ids_is_given_one_before_it_joins()
    {
        var a = new Client(_driver, "a") { KnowsMemberIdRequired = true }.Join();
        Assert.Equal(GroupError.MemberIdRequired, a.Joined.Error);
        Assert.StartsWith("a-", a.MemberId, StringComparison.Ordinal);
        Assert.Empty(Describe().Members);

        a.Join();
        _driver.AdvanceSeconds(3);
        Assert.Equal(1, a.Generation);
        Assert.True(a.IsLeader);
    }

    [Fact]
    public void A_member_id_that_nobody_comes_back_with_is_forgotten_after_the_session_timeout()
    {
        var a = new Client(_driver, "a") { KnowsMemberIdRequired = true }.Join();
        _driver.AdvanceSeconds(10);
        a.Join();
        Assert.Equal(GroupError.UnknownMember, a.Joined.Error);
    }

    [Fact]
    public void A_rebalance_waits_for_a_pending_member_and_goes_on_without_it()
    {
        var a = Stable("a")[0];
        new Client(_driver, "late") { KnowsMemberIdRequired = true }.Join();
        a.Join();
        Assert.False(a.Joining!.IsGiven);
        _driver.AdvanceSeconds(10);
        Assert.Equal(2, a.Joined.Generation);
    }

    [Fact]
    public void Members_that_do_not_join_again_in_time_are_left_behind()
    {
        var members = Stable("a", "b");
        _driver.Client("c").Join();
        for (var second = 0; second < 60; second += 5)
        {
            Assert.Equal(GroupError.RebalanceInProgress, members[1].Heartbeat());
            members[0].Heartbeat();
            _driver.AdvanceSeconds(5);
            if (second == 0)
            {
                members[0].Join();
            }
        }

        Assert.Equal(2, members[0].Joined.Generation);
        Assert.Equal(2, members[0].Joined.Members.Count);
        Assert.Equal(GroupError.UnknownMember, members[1].Heartbeat());
    }

    [Fact]
    public void A_silent_member_is_removed_when_its_session_is_over()
    {
        var members = Stable("a", "b");
        _driver.AdvanceSeconds(6);
        Assert.Equal(GroupError.None, members[0].Heartbeat());
        _driver.AdvanceSeconds(5);
        Assert.Equal(GroupError.RebalanceInProgress, members[0].Heartbeat());
        Assert.Equal(GroupError.UnknownMember, members[1].Heartbeat());
        members[0].Join();
        Assert.Equal(2, members[0].Joined.Generation);
    }

    [Fact]
    public void The_last_member_that_leaves_empties_the_group_durably()
    {
        var a = Stable("a")[0];
        _driver.Transcript();
        Assert.Equal(GroupError.None, a.Leave());
        Assert.Equal("log: group g generation 2 []", _driver.Transcript());
        Assert.Equal(GroupState.Empty, Describe().State);
        Assert.Equal(GroupError.UnknownMember, a.Heartbeat());
        Assert.Equal(GroupError.UnknownMember, a.Leave());
    }

    [Fact]
    public void A_member_that_leaves_while_its_sync_waits_hears_so()
    {
        var a = _driver.Client("a").Join();
        var b = _driver.Client("b").Join();
        _driver.AdvanceSeconds(6);
        var waiting = b.Sync();
        Assert.False(waiting.IsGiven);
        Assert.Equal(GroupError.None, b.Leave());
        Assert.Equal(GroupError.UnknownMember, waiting.Given.Error);
        Assert.Equal(GroupError.RebalanceInProgress, a.Heartbeat());
    }

    [Fact]
    public void A_leader_that_never_assigns_is_removed_and_the_others_choose_another()
    {
        var driver = new GroupShardDriver();
        var leader = new Client(driver, "a") { SessionTimeout = TimeSpan.FromSeconds(120), RebalanceTimeout = TimeSpan.FromSeconds(20) }.Join();
        var follower = new Client(driver, "b") { SessionTimeout = TimeSpan.FromSeconds(120), RebalanceTimeout = TimeSpan.FromSeconds(20) }.Join();
        driver.AdvanceSeconds(6);
        var waiting = follower.Sync();
        driver.AdvanceSeconds(20);
        Assert.Equal(GroupError.RebalanceInProgress, waiting.Given.Error);
        Assert.Equal(GroupError.UnknownMember, leader.Heartbeat());
        follower.Join();
        Assert.Equal(2, follower.Generation);
        Assert.True(follower.IsLeader);
    }

    [Fact]
    public void A_leader_that_joins_again_rebalances_and_a_follower_with_the_same_words_does_not()
    {
        var members = Stable("a", "b");
        var (leader, follower) = members[0].IsLeader ? (members[0], members[1]) : (members[1], members[0]);
        follower.Join();
        Assert.Equal(1, follower.Joined.Generation);
        Assert.Equal(GroupError.None, leader.Heartbeat());

        leader.Join();
        Assert.Equal(GroupError.RebalanceInProgress, follower.Heartbeat());
        follower.Join();
        Assert.Equal(2, leader.Joined.Generation);
    }

    [Fact]
    public void A_follower_that_says_something_new_rebalances()
    {
        var members = Stable("a", "b");
        var follower = members.Single(member => !member.IsLeader);
        follower.Topics = ["t", "u"];
        follower.Join();
        Assert.Equal(GroupState.PreparingRebalance, Describe().State);
    }

    [Fact]
    public void A_join_that_is_repeated_while_it_waits_answers_the_older_one()
    {
        var a = Stable("a")[0];
        _driver.Client("b").Join();
        new Client(_driver, "late") { KnowsMemberIdRequired = true }.Join();
        a.Join();
        var older = a.Joining!;
        Assert.False(older.IsGiven);
        a.Join();
        Assert.Equal(GroupError.RebalanceInProgress, older.Given.Error);
        _driver.AdvanceSeconds(10);
        Assert.Equal(2, a.Joined.Generation);
    }

    [Fact]
    public void The_protocol_is_the_one_most_members_prefer_among_those_all_support()
    {
        var a = new Client(_driver, "a") { Protocols = ["x", "y", "z"] }.Join();
        var b = new Client(_driver, "b") { Protocols = ["z", "y"] }.Join();
        var c = new Client(_driver, "c") { Protocols = ["y", "z"] }.Join();
        _driver.AdvanceSeconds(9);
        Assert.Equal("y", a.Joined.ProtocolName);
        Assert.Equal("y", b.Joined.ProtocolName);
        Assert.Equal("y", c.Joined.ProtocolName);
    }

    [Fact]
    public void Joins_that_cannot_be_are_refused_with_the_reason()
    {
        Assert.Equal(GroupError.InvalidSessionTimeout, new Client(_driver, "a") { SessionTimeout = TimeSpan.FromSeconds(5.9) }.Join().Joined.Error);
        Assert.Equal(GroupError.InvalidSessionTimeout, new Client(_driver, "a") { SessionTimeout = TimeSpan.FromMinutes(31) }.Join().Joined.Error);
        Assert.Equal(GroupError.UnknownMember, new Client(_driver, "a") { MemberId = "nobody" }.Join().Joined.Error);
        Assert.Equal(GroupError.InconsistentProtocol, new Client(_driver, "a") { Protocols = [] }.Join().Joined.Error);
        Assert.Equal(GroupError.InconsistentProtocol, new Client(_driver, "a") { ProtocolType = "" }.Join().Joined.Error);
        Assert.Equal(GroupError.GroupNotFound, Describe().Error);

        Stable("a");
        Assert.Equal(GroupError.InconsistentProtocol, new Client(_driver, "b") { Protocols = ["sticky"] }.Join().Joined.Error);
        Assert.Equal(GroupError.InconsistentProtocol, new Client(_driver, "b") { ProtocolType = "connect" }.Join().Joined.Error);
        Assert.Equal(
            GroupError.InvalidGroupId,
            _driver.Get<JoinGroupAnswer>((shard, reply) => shard.Join(_driver.Client("b").JoinCommand() with { GroupId = "" }, reply)).Error);
        Assert.Equal(GroupState.Stable, Describe().State);
    }

    [Fact]
    public void A_full_group_takes_nobody_and_keeps_those_it_has()
    {
        var driver = new GroupShardDriver(new GroupOptions { MaxSize = 1 });
        var a = driver.Client("a").Join();
        var b = driver.Client("b").Join();
        Assert.Equal(GroupError.GroupFull, b.Joined.Error);
        driver.AdvanceSeconds(3);
        a.Sync((a, "0"));
        Assert.Equal(GroupError.GroupFull, driver.Client("b").Join().Joined.Error);
        Assert.Equal(GroupError.None, a.Heartbeat());
    }

    [Fact]
    public void Sync_and_heartbeat_check_who_asks_of_which_generation()
    {
        var a = _driver.Client("a").Join();
        _driver.AdvanceSeconds(3);
        var stranger = new Client(_driver, "s") { MemberId = "nobody", Generation = 1 };
        Assert.Equal(GroupError.UnknownMember, stranger.Sync().Given.Error);
        Assert.Equal(GroupError.UnknownMember, stranger.Heartbeat());
        Assert.Equal(GroupError.UnknownMember, stranger.Leave());

        a.Generation = 0;
        Assert.Equal(GroupError.IllegalGeneration, a.Sync().Given.Error);
        Assert.Equal(GroupError.IllegalGeneration, a.Heartbeat());
        a.Generation = 1;
        Assert.Equal(
            GroupError.InconsistentProtocol,
            _driver.Get<SyncGroupAnswer>((shard, reply) => shard.Sync(
                new SyncGroupCommand { GroupId = "g", Member = a.Identity, Generation = 1, ProtocolName = "sticky" }, reply)).Error);
        Assert.Equal(
            GroupError.InconsistentProtocol,
            _driver.Get<SyncGroupAnswer>((shard, reply) => shard.Sync(
                new SyncGroupCommand { GroupId = "g", Member = a.Identity, Generation = 1, ProtocolType = "connect" }, reply)).Error);
        Assert.Equal(
            GroupError.InvalidGroupId,
            _driver.Get<GroupError>((shard, reply) => shard.Heartbeat(new HeartbeatCommand("", a.Identity, 1), reply)));
        a.Sync((a, "0"));

        // A member that asks again, and one that the leader forgot, hear what they have.
        Assert.Equal(1, a.Sync().Given.Assignment.Length);
    }

    [Fact]
    public void A_member_that_the_leader_forgot_gets_an_empty_assignment()
    {
        var a = _driver.Client("a").Join();
        var b = _driver.Client("b").Join();
        _driver.AdvanceSeconds(6);
        var forgotten = b.Sync();
        a.Sync((a, "0"), (new Client(_driver, "x") { MemberId = "nobody" }, "1"));
        Assert.Equal(GroupError.None, forgotten.Given.Error);
        Assert.True(forgotten.Given.Assignment.IsEmpty);
    }

    [Fact]
    public void A_generation_too_large_for_the_log_is_refused_and_the_group_goes_on()
    {
        var driver = new GroupShardDriver { MaxBatchBytes = 4096 };
        driver.Load();
        var a = driver.Client("a").Join();
        driver.AdvanceSeconds(3);
        Assert.Equal(GroupError.Failed, a.Sync((a, new string('x', 5000))).Given.Error);
        a.Join();
        Assert.Equal(2, a.Generation);
        Assert.Equal(GroupError.None, a.Sync((a, "0")).Given.Error);
        Assert.Equal(GroupError.MemberTooLarge, new Client(driver, "b") { Topics = [new string('x', 5000)] }.Join().Joined.Error);
    }

    [Fact]
    public void After_a_failover_members_go_on_as_if_nothing_had_happened()
    {
        var members = Stable("a", "b");
        _driver.Load();
        Assert.Equal(GroupError.None, members[0].Heartbeat());
        Assert.Equal(1, members[1].Sync().Given.Assignment.Length);
        _driver.AdvanceSeconds(9);
        Assert.Equal(GroupError.None, members[0].Heartbeat());
        _driver.AdvanceSeconds(2);
        // b was given a session of its own by the new coordinator, and has not used it.
        Assert.Equal(GroupError.RebalanceInProgress, members[0].Heartbeat());
    }

    [Fact]
    public void A_group_loaded_with_more_members_than_allowed_now_rebalances()
    {
        var members = Stable("a", "b");
        var driver = new GroupShardDriver(new GroupOptions { MaxSize = 1 });
        driver.Records.AddRange(_driver.Records);
        driver.Load();
        var heartbeat = new HeartbeatCommand("g", members[0].Identity, 1);
        Assert.Equal(GroupError.RebalanceInProgress, driver.Get<GroupError>((shard, reply) => shard.Heartbeat(heartbeat, reply)));
    }

    [Fact]
    public void Describe_tells_metadata_and_assignments_of_a_stable_group_only()
    {
        Stable("a", "b");
        var description = Describe();
        Assert.Equal((GroupState.Stable, "consumer", "range"), (description.State, description.ProtocolType, description.ProtocolName));
        Assert.All(description.Members, member => Assert.False(member.Metadata.IsEmpty || member.Assignment.IsEmpty));
        Assert.Equal(("a", "/127.0.0.1"), (description.Members[0].ClientId, description.Members[0].ClientHost));

        _driver.Client("c").Join();
        description = Describe();
        Assert.Equal((GroupState.PreparingRebalance, ""), (description.State, description.ProtocolName));
        Assert.All(description.Members, member => Assert.True(member.Metadata.IsEmpty));
        Assert.Equal(
            [new GroupListing("g", "consumer", GroupState.PreparingRebalance, "classic")],
            _driver.Get<IReadOnlyList<GroupListing>>((shard, reply) => shard.List(reply)));
    }

    private GroupDescription Describe() => _driver.Get<GroupDescription>((shard, reply) => shard.Describe("g", reply));

    private Client[] Stable(params string[] names)
    {
        var members = names.Select(name => _driver.Client(name).Join()).ToArray();
        _driver.AdvanceSeconds(6);
        foreach (var follower in members.Where(member => !member.IsLeader))
        {
            follower.Sync();
        }

        members.Single(member => member.IsLeader).Sync([.. members.Select(member => (member, "p"))]);
        Assert.Equal(GroupState.Stable, Describe().State);
        return members;
    }
}
