using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>Members ask for their assignments, and the leader brings them.</summary>
internal sealed class GroupSync(GroupRebalance rebalance, ShardContext<GroupRecord> context)
{
    public void Sync(ClassicGroup group, SyncGroupCommand command, Reply<SyncGroupAnswer> reply, CoordinatorResult<GroupRecord> result)
    {
        if (Validate(group, command) is var error && error != GroupError.None)
        {
            result.Answer(reply, SyncGroupAnswer.Refused(error));
            return;
        }

        var member = group.Members.Find(command.Member.MemberId)!;
        Asked(group, member);
        if (group.State == GroupState.Stable)
        {
            result.Answer(reply, AssignmentOf(group, member));
            return;
        }

        // A client that lost its connection asks again; nobody listens to the first request any more.
        GroupMembers.AnswerSync(member, SyncGroupAnswer.Refused(GroupError.RebalanceInProgress), result);
        member.AwaitingSync = reply;
        if (group.Members.IsLeader(member.Id))
        {
            Assign(group, command, result);
        }
    }

    private static GroupError Validate(ClassicGroup group, SyncGroupCommand command)
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

        if ((command.ProtocolType is { } type && type != group.ProtocolType) || (command.ProtocolName is { } name && name != group.ProtocolName))
        {
            return GroupError.InconsistentProtocol;
        }

        return group.State switch
        {
            GroupState.PreparingRebalance => GroupError.RebalanceInProgress,
            GroupState.CompletingRebalance or GroupState.Stable => GroupError.None,
            GroupState.Empty or GroupState.Dead => GroupError.UnknownMember,
        };
    }

    private void Assign(ClassicGroup group, SyncGroupCommand command, CoordinatorResult<GroupRecord> result)
    {
        foreach (var member in group.Members.All)
        {
            // Whom the leader forgot gets nothing.
            member.Assignment = default;
        }

        foreach (var (memberId, assignment) in command.Assignments)
        {
            if (group.Members.Find(memberId) is { } member)
            {
                member.Assignment = assignment;
            }
        }

        var image = group.ToImage();
        if (image.SizeBound > context.MaxBatchBytes - RecordBuffer<GroupRecord>.Overhead)
        {
            // No log could hold this generation. Members are told, and may come to another one.
            GroupRebalance.RefuseAssignments(group, GroupError.Failed, result);
            rebalance.OnChange(group, "the assignment is larger than a batch may be", result);
            return;
        }

        group.MoveTo(GroupState.Stable, context.Now);
        result.Append(new GroupMetadataRecord(group.Id, image with { StateTimestamp = group.StateTimestamp }));
        foreach (var member in group.Members.All.Where(member => member.AwaitingSync is not null))
        {
            GroupMembers.AnswerSync(member, AssignmentOf(group, member), result);
            member.RestartSession();
        }
    }

    private static void Asked(ClassicGroup group, GroupMember member)
    {
        group.AwaitedToSync.Remove(member.Id);
        if (group.AwaitedToSync.Count == 0)
        {
            group.SyncPhase?.Stop();
        }
    }

    private static SyncGroupAnswer AssignmentOf(ClassicGroup group, GroupMember member) => new()
    {
        ProtocolType = group.ProtocolType,
        ProtocolName = group.ProtocolName,
        Assignment = member.Assignment,
    };
}
