using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>
/// How a group comes from one generation to the next: members are to join again (PreparingRebalance) until all have or the
/// slowest's time is up, then ask for their assignments (CompletingRebalance) until the leader has brought them (Stable).
/// </summary>
internal sealed class GroupRebalance(GroupOptions options, ShardContext<GroupRecord> context)
{
    /// <summary>Something changed who is, or what is said, in the group.</summary>
    public void OnChange(ClassicGroup group, string reason, CoordinatorResult<GroupRecord> result)
    {
        if (group.State is GroupState.Stable or GroupState.CompletingRebalance or GroupState.Empty)
        {
            Prepare(group, reason, result);
        }
        else
        {
            CompleteJoinIfAllJoined(group, result);
        }
    }

    /// <summary>Takes a member out, with what follows for the others.</summary>
    public void Remove(ClassicGroup group, GroupMember member, string reason, CoordinatorResult<GroupRecord> result)
    {
        group.Members.Remove(member, result);
        group.AwaitedToSync.Remove(member.Id);
        if (group.State != GroupState.Empty)
        {
            OnChange(group, reason, result);
        }
    }

    /// <summary>Begins a rebalance.</summary>
    public void Prepare(ClassicGroup group, string reason, CoordinatorResult<GroupRecord> result)
    {
        if (group.State == GroupState.CompletingRebalance)
        {
            RefuseAssignments(group, GroupError.RebalanceInProgress, result);
        }

        group.SyncPhase?.Stop();
        group.AwaitedToSync.Clear();
        var isFirst = group.State == GroupState.Empty;
        group.MoveTo(GroupState.PreparingRebalance, context.Now);
        CoordinationMessages.Rebalancing(context.Logger, group.Id, group.Generation, reason);
        group.JoinPhase ??= context.Timers.Create(ended => OnJoinPhaseOver(group, ended));
        if (isFirst)
        {
            // The members of a new group start one after the other. Waiting a little saves them a rebalance each.
            group.JoinDelayLeft = Max(group.Members.RebalanceTimeout - options.InitialRebalanceDelay, TimeSpan.Zero);
            group.JoinDelay = options.InitialRebalanceDelay;
            group.JoinPhase.Start(options.InitialRebalanceDelay);
        }
        else if (group.Members.HaveAllJoined)
        {
            CompleteJoin(group, result);
        }
        else
        {
            group.JoinPhase.Start(group.Members.RebalanceTimeout);
        }
    }

    /// <summary>Goes on to the next generation if nobody is awaited any more; a first rebalance waits out its delay all the same.</summary>
    public void CompleteJoinIfAllJoined(ClassicGroup group, CoordinatorResult<GroupRecord> result)
    {
        if (group.State == GroupState.PreparingRebalance && group.JoinDelayLeft is null && group.Members.HaveAllJoined)
        {
            CompleteJoin(group, result);
        }
    }

    /// <summary>Tells all who wait for an assignment that there is none, and forgets what was assigned before.</summary>
    public static void RefuseAssignments(ClassicGroup group, GroupError error, CoordinatorResult<GroupRecord> result)
    {
        foreach (var member in group.Members.All)
        {
            member.Assignment = default;
            if (member.AwaitingSync is not null)
            {
                GroupMembers.AnswerSync(member, SyncGroupAnswer.Refused(error), result);
                member.RestartSession();
            }
        }
    }

    private void OnJoinPhaseOver(ClassicGroup group, CoordinatorResult<GroupRecord> result)
    {
        if (group.JoinDelayLeft is { } left && left > TimeSpan.Zero && group.MemberCameSinceDelay)
        {
            // Somebody came meanwhile, so more may follow.
            group.MemberCameSinceDelay = false;
            var delay = left < options.InitialRebalanceDelay ? left : options.InitialRebalanceDelay;
            group.JoinDelayLeft = Max(left - group.JoinDelay, TimeSpan.Zero);
            group.JoinDelay = delay;
            group.JoinPhase!.Start(delay);
            return;
        }

        CompleteJoin(group, result);
    }

    private void CompleteJoin(ClassicGroup group, CoordinatorResult<GroupRecord> result)
    {
        group.JoinPhase?.Stop();
        group.JoinDelayLeft = null;
        group.MemberCameSinceDelay = false;
        foreach (var missing in group.Members.All.Where(member => member.AwaitingJoin is null && !member.IsStatic).ToList())
        {
            group.Members.Remove(missing, result);
        }

        if (!group.Members.ElectJoinedLeader() && group.Members.Count > 0)
        {
            // Only static members are left, and none of them is back: their sessions decide.
            group.JoinPhase!.Start(group.Members.RebalanceTimeout);
            return;
        }

        // Kafka counts up to the largest int; a group that gets there begins again rather than to become negative.
        group.Generation = group.Generation == int.MaxValue ? 0 : group.Generation + 1;
        group.AwaitedToSync.Clear();
        if (group.Members.Count == 0)
        {
            group.ProtocolName = null;
            group.MoveTo(GroupState.Empty, context.Now);
            group.UpdateSubscribedTopics();
            result.Append(new GroupMetadataRecord(group.Id, group.ToImage()));
            CoordinationMessages.GroupEmpty(context.Logger, group.Id, group.Generation);
            return;
        }

        group.ProtocolName = group.Members.SelectProtocol();
        group.MoveTo(GroupState.CompletingRebalance, context.Now);
        group.UpdateSubscribedTopics();
        CoordinationMessages.GenerationBegun(context.Logger, group.Id, group.Generation, group.Members.Count);
        BeginSyncPhase(group, result);
    }

    private void BeginSyncPhase(ClassicGroup group, CoordinatorResult<GroupRecord> result)
    {
        foreach (var member in group.Members.All)
        {
            group.Members.AnswerJoin(member, group.AnswerFor(member), result);
            member.IsNew = false;
            member.RestartSession();
            group.AwaitedToSync.Add(member.Id);
        }

        group.SyncPhase ??= context.Timers.Create(ended => OnSyncPhaseOver(group, ended));
        group.SyncPhase.Start(group.Members.RebalanceTimeout);
    }

    private void OnSyncPhaseOver(ClassicGroup group, CoordinatorResult<GroupRecord> result)
    {
        if (group.AwaitedToSync.Count == 0)
        {
            return;
        }

        foreach (var silent in group.AwaitedToSync.Select(group.Members.Find).OfType<GroupMember>().ToList())
        {
            group.Members.Remove(silent, result);
        }

        group.AwaitedToSync.Clear();
        Prepare(group, "members did not ask for their assignments", result);
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
