using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;
using Millrace.Runtime;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>Members join: for the first time, again, or as a static member's next incarnation.</summary>
internal sealed class GroupJoin(GroupOptions options, ShardContext<GroupRecord> context, GroupRebalance rebalance, SessionTimers sessions)
{
    // Members that were given an id and have not come back with it. Each is small and lives for a session timeout; this bounds what
    // a client that never comes back can make of them.
    private const int MaxPendingMembers = 10_000;

    public void Join(ClassicGroup group, JoinGroupCommand command, Reply<JoinGroupAnswer> reply, CoordinatorResult<GroupRecord> result)
    {
        var memberId = command.Member.MemberId;
        if (!HasRoomFor(group, memberId))
        {
            if (group.Members.Find(memberId) is { } surplus)
            {
                rebalance.Remove(group, surplus, "the group is full", result);
            }

            group.Members.RemovePending(memberId);
            result.Answer(reply, JoinGroupAnswer.Refused(GroupError.GroupFull));
        }
        else if (!group.Supports(command.ProtocolType, command.Protocols))
        {
            result.Answer(reply, JoinGroupAnswer.Refused(GroupError.InconsistentProtocol, memberId));
        }
        else if (memberId.Length == 0)
        {
            JoinWithoutId(group, command, reply, result);
        }
        else if (group.Members.IsPending(memberId))
        {
            JoinAsPending(group, command, reply, result);
        }
        else
        {
            JoinAgain(group, command, reply, result);
        }
    }

    private bool HasRoomFor(ClassicGroup group, string memberId) => group.State switch
    {
        GroupState.Empty or GroupState.Dead => true,
        // Everyone is to come anew, and who comes first has the places.
        GroupState.PreparingRebalance => group.Members.Find(memberId)?.AwaitingJoin is not null || group.Members.AwaitingJoin < options.MaxSize,
        GroupState.CompletingRebalance or GroupState.Stable => group.Members.Find(memberId) is not null || group.Members.Count < options.MaxSize,
    };

    private void JoinWithoutId(ClassicGroup group, JoinGroupCommand command, Reply<JoinGroupAnswer> reply, CoordinatorResult<GroupRecord> result)
    {
        var instance = command.Member.InstanceId;
        var newId = $"{instance ?? command.ClientId}-{context.Random.NewId()}";
        if (instance is not null && group.Members.IdOfInstance(instance) is { } formerId)
        {
            Replace(group, group.Members.Find(formerId)!, newId, command, reply, result);
        }
        else if (instance is null && command.KnowsMemberIdRequired)
        {
            if (group.Members.Pending >= MaxPendingMembers)
            {
                result.Answer(reply, JoinGroupAnswer.Refused(GroupError.GroupFull));
                return;
            }

            sessions.AwaitPending(group, newId, command.SessionTimeout);
            result.Answer(reply, JoinGroupAnswer.Refused(GroupError.MemberIdRequired, newId));
        }
        else
        {
            Add(group, newId, command, reply, result);
        }
    }

    private void JoinAsPending(ClassicGroup group, JoinGroupCommand command, Reply<JoinGroupAnswer> reply, CoordinatorResult<GroupRecord> result)
    {
        if (command.Member.InstanceId is not null)
        {
            // Ids are given in advance to dynamic members alone.
            result.Answer(reply, JoinGroupAnswer.Refused(GroupError.UnknownMember, command.Member.MemberId));
            return;
        }

        Add(group, command.Member.MemberId, command, reply, result);
    }

    private void JoinAgain(ClassicGroup group, JoinGroupCommand command, Reply<JoinGroupAnswer> reply, CoordinatorResult<GroupRecord> result)
    {
        var error = group.Members.Validate(command.Member);
        if (error != GroupError.None || group.State is GroupState.Empty or GroupState.Dead)
        {
            result.Answer(reply, JoinGroupAnswer.Refused(error == GroupError.None ? GroupError.UnknownMember : error, command.Member.MemberId));
            return;
        }

        var member = group.Members.Find(command.Member.MemberId)!;
        // Outside of a rebalance a member that says what it said before has lost our answer; the leader, once everyone has an
        // assignment, joins because it wants another one.
        var changesNothing = group.State != GroupState.PreparingRebalance && member.Matches(command.Protocols)
            && !(group.State == GroupState.Stable && group.Members.IsLeader(member.Id));
        if (changesNothing)
        {
            result.Answer(reply, group.AnswerFor(member));
            return;
        }

        group.Members.Update(member, command);
        Park(group, member, reply, result);
        rebalance.OnChange(group, "a member joined again", result);
    }

    private void Add(ClassicGroup group, string memberId, JoinGroupCommand command, Reply<JoinGroupAnswer> reply, CoordinatorResult<GroupRecord> result)
    {
        var member = new GroupMember(memberId, command.Member.InstanceId, command.ClientId, command.ClientHost)
        {
            SessionTimeout = command.SessionTimeout,
            RebalanceTimeout = command.RebalanceTimeout,
            Protocols = command.Protocols,
            IsNew = true,
        };
        if (group.Members.Count == 0)
        {
            group.ProtocolType = command.ProtocolType;
        }

        group.MemberCameSinceDelay |= group.JoinDelayLeft is not null;
        group.Members.Add(member);
        Park(group, member, reply, result);
        sessions.Attach(group, member);
        rebalance.OnChange(group, "a member joined", result);
    }

    private void Replace(
        ClassicGroup group, GroupMember former, string newId, JoinGroupCommand command, Reply<JoinGroupAnswer> reply, CoordinatorResult<GroupRecord> result)
    {
        var formerLeader = group.Members.LeaderId;
        var member = group.Members.Replace(former, newId, command.ClientId, command.ClientHost, result);
        group.AwaitedToSync.Remove(former.Id);
        CoordinationMessages.MemberReplaced(context.Logger, group.Id, newId, former.Id);
        group.Members.Update(member, command);
        sessions.Attach(group, member);
        switch (group.State)
        {
            case GroupState.Stable when group.Members.SelectProtocol() == group.ProtocolName:
                KeepGeneration(group, member, formerLeader, command, reply, result);
                break;
            case GroupState.Stable or GroupState.CompletingRebalance:
                // The protocol changes; or the leader assigns to the former id, and its assignment would reach nobody.
                Park(group, member, reply, result);
                rebalance.Prepare(group, "a static member came back", result);
                break;
            case GroupState.PreparingRebalance:
                Park(group, member, reply, result);
                rebalance.CompleteJoinIfAllJoined(group, result);
                break;
            case GroupState.Empty or GroupState.Dead:
                Invariant.Check(group.Members.Count == 0);
                break;
        }
    }

    /// <summary>The point of static membership: the member is back, and nobody else needs to know.</summary>
    private static void KeepGeneration(
        ClassicGroup group, GroupMember member, string? formerLeader, JoinGroupCommand command, Reply<JoinGroupAnswer> reply,
        CoordinatorResult<GroupRecord> result)
    {
        group.UpdateSubscribedTopics();
        result.Append(new GroupMetadataRecord(group.Id, group.ToImage()));
        var answer = group.AnswerFor(member);
        if (command.KnowsSkipAssignment)
        {
            // It goes on as leader, watching the topics, but does not assign: a stable group would not hand the assignment out.
            result.Answer(reply, answer with { SkipAssignment = group.Members.IsLeader(member.Id) });
        }
        else
        {
            // An older client is told of the leader it replaced, so that it takes itself for a follower and assigns nothing.
            result.Answer(reply, answer with { Leader = formerLeader ?? "", Members = [] });
        }
    }

    /// <summary>The member waits for the others. An older join of its own, whose client has given up, is answered.</summary>
    private static void Park(ClassicGroup group, GroupMember member, Reply<JoinGroupAnswer> reply, CoordinatorResult<GroupRecord> result)
    {
        group.Members.AnswerJoin(member, JoinGroupAnswer.Refused(GroupError.RebalanceInProgress, member.Id), result);
        group.Members.AwaitJoin(member, reply);
    }
}
