using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>Members show that they live, or leave.</summary>
internal sealed class GroupMembership(GroupRebalance rebalance)
{
    public static GroupError Heartbeat(ClassicGroup group, HeartbeatCommand command)
    {
        var error = group.Members.Validate(command.Member);
        if (error != GroupError.None)
        {
            return error;
        }

        if (command.Generation != group.Generation)
        {
            return GroupError.IllegalGeneration;
        }

        group.Members.Find(command.Member.MemberId)!.RestartSession();
        return group.State switch
        {
            GroupState.PreparingRebalance => GroupError.RebalanceInProgress,
            GroupState.CompletingRebalance or GroupState.Stable => GroupError.None,
            GroupState.Empty or GroupState.Dead => GroupError.UnknownMember,
        };
    }

    /// <summary>Takes members out one by one, and then rebalances once.</summary>
    public IReadOnlyList<LeftMember> Leave(ClassicGroup group, IReadOnlyList<MemberIdentity> members, CoordinatorResult<GroupRecord> result)
    {
        var left = members.Select(member => new LeftMember(member, Leave(group, member, result))).ToList();
        if (group.State != GroupState.Empty && left.Any(member => member.Error == GroupError.None))
        {
            rebalance.OnChange(group, "members left", result);
        }

        return left;
    }

    private static GroupError Leave(ClassicGroup group, MemberIdentity identity, CoordinatorResult<GroupRecord> result)
    {
        if (identity.MemberId.Length > 0 && group.Members.IsPending(identity.MemberId))
        {
            group.Members.RemovePending(identity.MemberId);
            return GroupError.None;
        }

        // An administrator names static members by their instance alone.
        var memberId = identity.MemberId.Length > 0 ? identity.MemberId
            : identity.InstanceId is { } instance ? group.Members.IdOfInstance(instance)
            : null;
        if (memberId is null)
        {
            return GroupError.UnknownMember;
        }

        var error = group.Members.Validate(identity with { MemberId = memberId });
        if (error == GroupError.None)
        {
            group.Members.Remove(group.Members.Find(memberId)!, result);
            group.AwaitedToSync.Remove(memberId);
        }

        return error;
    }
}
