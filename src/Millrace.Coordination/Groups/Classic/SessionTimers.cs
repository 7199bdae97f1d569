using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>Members live as long as they are heard of: each has a timer, which its heartbeats and some of its requests start again.</summary>
internal sealed class SessionTimers(ShardContext<GroupRecord> context, GroupRebalance rebalance)
{
    // A new member cannot send heartbeats until its first join is answered, which can take as long as a rebalance. If its client
    // gives up and tries again under no name, the member is a ghost; this bounds how long.
    private static readonly TimeSpan NewMemberTimeout = TimeSpan.FromMinutes(5);

    /// <summary>Gives a member its timer, which runs from now.</summary>
    public void Attach(ClassicGroup group, GroupMember member)
    {
        member.Session = context.Timers.Create(result => OnSilence(group, member, result));
        member.Session.Start(member.IsNew ? NewMemberTimeout : member.SessionTimeout);
    }

    /// <summary>Waits for a member that was told its id to join with it.</summary>
    public void AwaitPending(ClassicGroup group, string memberId, TimeSpan timeout)
    {
        var timer = context.Timers.Create(result =>
        {
            group.Members.RemovePending(memberId);
            rebalance.CompleteJoinIfAllJoined(group, result);
        });
        group.Members.AddPending(memberId, timer);
        timer.Start(timeout);
    }

    private void OnSilence(ClassicGroup group, GroupMember member, CoordinatorResult<GroupRecord> result)
    {
        // Who waits for us is alive as far as we can tell; its timer starts again with our answer.
        if (member.IsNew || (member.AwaitingJoin is null && member.AwaitingSync is null))
        {
            rebalance.Remove(group, member, "a member was silent for longer than its session", result);
        }
    }
}
