using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Xunit;

namespace Millrace.Tests.Coordination.Groups.Classic;

public sealed class StaticMembershipTests
{
    private readonly GroupShardDriver _driver = new();

    [Fact]
    public void A_static_member_that_comes_back_keeps_the_generation_and_its_assignment()
    {
        var (a, b) = Stable();
        var follower = a.IsLeader ? b : a;
        var returned = new Client(_driver, "returned") { InstanceId = follower.InstanceId, KnowsSkipAssignment = true }.Join();
        Assert.Equal((GroupError.None, 1, false), (returned.Joined.Error, returned.Generation, returned.Joined.SkipAssignment));
        Assert.NotEqual(follower.MemberId, returned.MemberId);
        Assert.Equal(1, returned.Sync().Given.Assignment.Length);
        Assert.Equal(GroupError.FencedInstance, follower.Heartbeat());
        Assert.Equal(GroupError.FencedInstance, follower.Commit(1).Error);
        Assert.Equal(_driver.ReplayedState(), _driver.State());
    }

    [Fact]
    public void A_static_leader_that_comes_back_leads_without_assigning()
    {
        var (a, b) = Stable();
        var leader = a.IsLeader ? a : b;
        var returned = new Client(_driver, "returned") { InstanceId = leader.InstanceId, KnowsSkipAssignment = true }.Join();
        Assert.True(returned.Joined.SkipAssignment);
        Assert.Equal(returned.MemberId, returned.Joined.Leader);
        Assert.Equal(2, returned.Joined.Members.Count);
    }

    [Fact]
    public void An_older_client_that_led_is_told_of_its_former_self_as_leader()
    {
        var (a, b) = Stable();
        var leader = a.IsLeader ? a : b;
        var formerId = leader.MemberId;
        var returned = new Client(_driver, "returned") { InstanceId = leader.InstanceId }.Join();
        Assert.Equal((formerId, 0, false), (returned.Joined.Leader, returned.Joined.Members.Count, returned.Joined.SkipAssignment));
    }

    [Fact]
    public void A_static_member_that_comes_back_with_another_protocol_rebalances()
    {
        var a = new Client(_driver, "a") { InstanceId = "a", Protocols = ["x", "y"] }.Join();
        _driver.AdvanceSeconds(3);
        a.Sync((a, "0"));
        Assert.Equal("x", a.Joined.ProtocolName);
        var returned = new Client(_driver, "returned") { InstanceId = "a", Protocols = ["y"] }.Join();
        Assert.Equal((2, "y"), (returned.Joined.Generation, returned.Joined.ProtocolName));
    }

    [Fact]
    public void A_static_member_that_comes_back_before_the_assignment_rebalances_and_fences_the_waiting_one()
    {
        var a = new Client(_driver, "a") { InstanceId = "a" }.Join();
        var b = new Client(_driver, "b") { InstanceId = "b" }.Join();
        _driver.AdvanceSeconds(6);
        var follower = a.IsLeader ? b : a;
        var waiting = follower.Sync();
        new Client(_driver, "returned") { InstanceId = follower.InstanceId }.Join();
        Assert.Equal(GroupError.FencedInstance, waiting.Given.Error);
        Assert.Equal(GroupState.PreparingRebalance, _driver.Get<GroupDescription>((shard, reply) => shard.Describe("g", reply)).State);
    }

    [Fact]
    public void A_static_member_that_joins_while_its_former_self_waits_fences_it()
    {
        var a = new Client(_driver, "a") { InstanceId = "a" }.Join();
        var returned = new Client(_driver, "returned") { InstanceId = "a" }.Join();
        Assert.Equal(GroupError.FencedInstance, a.Joined.Error);
        _driver.AdvanceSeconds(3);
        Assert.Equal(1, returned.Generation);
        Assert.Single(returned.Joined.Members);
    }

    [Fact]
    public void A_rebalance_keeps_the_place_of_a_static_member_that_is_away()
    {
        var (a, b) = Stable();
        var (leader, away) = a.IsLeader ? (a, b) : (b, a);
        leader.Join();
        _driver.AdvanceSeconds(8);
        Assert.False(leader.Joining!.IsGiven);
        // Its session is longer than the rebalance, so it counts as a member of the next generation.
        _driver.AdvanceSeconds(52);
        Assert.Equal(2, leader.Joined.Generation);
        Assert.Equal(2, leader.Joined.Members.Count);
        Assert.Equal(GroupError.IllegalGeneration, away.Heartbeat());
    }

    [Fact]
    public void An_administrator_removes_static_members_by_instance_alone()
    {
        var (a, b) = Stable();
        var answer = _driver.Get<LeaveGroupAnswer>((shard, reply) => shard.Leave(
            new LeaveGroupCommand("g", [new MemberIdentity("", "a"), new MemberIdentity("", "nobody"), new MemberIdentity("stale", "b")]), reply));
        Assert.Equal([GroupError.None, GroupError.UnknownMember, GroupError.FencedInstance], answer.Members.Select(member => member.Error));
        Assert.Equal(GroupError.UnknownMember, a.Heartbeat());
        Assert.Equal(GroupError.RebalanceInProgress, b.Heartbeat());
    }

    [Fact]
    public void Leaving_a_group_that_is_not_there_is_answered_by_member()
    {
        var answer = _driver.Get<LeaveGroupAnswer>((shard, reply) => shard.Leave(new LeaveGroupCommand("none", [new MemberIdentity("m", null)]), reply));
        Assert.Equal((GroupError.None, GroupError.UnknownMember), (answer.Error, Assert.Single(answer.Members).Error));
    }

    private (Client A, Client B) Stable()
    {
        var session = TimeSpan.FromSeconds(90);
        var a = new Client(_driver, "a") { InstanceId = "a", SessionTimeout = session }.Join();
        var b = new Client(_driver, "b") { InstanceId = "b", SessionTimeout = session }.Join();
        _driver.AdvanceSeconds(6);
        (a.IsLeader ? b : a).Sync();
        (a.IsLeader ? a : b).Sync((a, "0"), (b, "1"));
        return (a, b);
    }
}
