using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;
using Millrace.Runtime;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>The members of a classic group: who they are, who leads, who has joined or is about to.</summary>
/// <remarks>In order of their ids, so that nothing depends on how strings hash.</remarks>
internal sealed class GroupMembers
{
    private readonly SortedDictionary<string, GroupMember> _byId = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _idsOfInstances = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, ShardTimer<GroupRecord>> _pending = new(StringComparer.Ordinal);
    private readonly ProtocolVote _vote = new();

    public int Count => _byId.Count;

    public IReadOnlyCollection<GroupMember> All => _byId.Values;

    /// <summary>The leader's member id; null in an empty group.</summary>
    public string? LeaderId { get; private set; }

    public int AwaitingJoin { get; private set; }

    /// <summary>Members that have been told their id and not joined with it yet (KIP-394).</summary>
    public int Pending => _pending.Count;

    public bool HaveAllJoined => AwaitingJoin == Count && Pending == 0;

    /// <summary>How long the slowest member may take to join again.</summary>
    public TimeSpan RebalanceTimeout => _byId.Values.Select(member => member.RebalanceTimeout).DefaultIfEmpty(TimeSpan.Zero).Max();

    public GroupMember? Find(string memberId) => _byId.GetValueOrDefault(memberId);

    public string? IdOfInstance(string instanceId) => _idsOfInstances.GetValueOrDefault(instanceId);

    public bool IsPending(string memberId) => _pending.ContainsKey(memberId);

    public bool IsLeader(string memberId) => memberId == LeaderId;

    public bool Share(IReadOnlyList<GroupProtocol> protocols) => _vote.IsSharedByAll(protocols, Count);

    public string SelectProtocol() => _vote.Select(_byId.Values);

    /// <summary>Whether a request comes from a member: its id known, and its own if it names an instance.</summary>
    public GroupError Validate(MemberIdentity identity)
    {
        if (identity.InstanceId is null)
        {
            return _byId.ContainsKey(identity.MemberId) ? GroupError.None : GroupError.UnknownMember;
        }

        return IdOfInstance(identity.InstanceId) is not { } owner ? GroupError.UnknownMember
            : owner == identity.MemberId ? GroupError.None
            : GroupError.FencedInstance;
    }

    public void AddPending(string memberId, ShardTimer<GroupRecord> timer) => _pending.Add(memberId, timer);

    public void RemovePending(string memberId)
    {
        if (_pending.Remove(memberId, out var timer))
        {
            timer.Stop();
        }
    }

    public void RemoveAllPending()
    {
        foreach (var timer in _pending.Values)
        {
            timer.Stop();
        }

        _pending.Clear();
    }

    public void Add(GroupMember member)
    {
        RemovePending(member.Id);
        _byId.Add(member.Id, member);
        if (member.InstanceId is { } instance)
        {
            _idsOfInstances.Add(instance, member.Id);
        }

        LeaderId ??= member.Id;
        _vote.Add(member);
        AwaitingJoin += member.AwaitingJoin is null ? 0 : 1;
    }

    /// <summary>A member joins again: what it says of itself replaces what it said before.</summary>
    public void Update(GroupMember member, JoinGroupCommand command)
    {
        _vote.Remove(member);
        member.Protocols = command.Protocols;
        member.RebalanceTimeout = command.RebalanceTimeout;
        member.SessionTimeout = command.SessionTimeout;
        _vote.Add(member);
    }

    public void AwaitJoin(GroupMember member, Reply<JoinGroupAnswer> reply)
    {
        Invariant.Check(member.AwaitingJoin is null);
        member.AwaitingJoin = reply;
        AwaitingJoin++;
    }

    /// <summary>Answers a member's join, if it waits for an answer.</summary>
    public void AnswerJoin(GroupMember member, JoinGroupAnswer answer, CoordinatorResult<GroupRecord> result)
    {
        if (member.AwaitingJoin is { } reply)
        {
            member.AwaitingJoin = null;
            AwaitingJoin--;
            result.Answer(reply, answer);
        }
    }

    /// <summary>Takes a member out. Whatever it waits for is answered with UnknownMember, on which a living client joins again.</summary>
    public void Remove(GroupMember member, CoordinatorResult<GroupRecord> result)
    {
        AnswerJoin(member, JoinGroupAnswer.Refused(GroupError.UnknownMember), result);
        AnswerSync(member, SyncGroupAnswer.Refused(GroupError.UnknownMember), result);
        member.Session?.Stop();
        _byId.Remove(member.Id);
        _vote.Remove(member);
        if (member.InstanceId is { } instance && IdOfInstance(instance) == member.Id)
        {
            _idsOfInstances.Remove(instance);
        }

        if (IsLeader(member.Id))
        {
            LeaderId = _byId.Keys.FirstOrDefault();
        }
    }

    /// <summary>Gives a static member's place to its next incarnation; the former one, if it still waits, learns that it is fenced.</summary>
    public GroupMember Replace(GroupMember former, string newId, string clientId, string clientHost, CoordinatorResult<GroupRecord> result)
    {
        AnswerJoin(former, JoinGroupAnswer.Refused(GroupError.FencedInstance, former.Id), result);
        AnswerSync(former, SyncGroupAnswer.Refused(GroupError.FencedInstance), result);
        former.Session?.Stop();
        var successor = new GroupMember(newId, former.InstanceId, clientId, clientHost)
        {
            SessionTimeout = former.SessionTimeout,
            RebalanceTimeout = former.RebalanceTimeout,
            Protocols = former.Protocols,
            Assignment = former.Assignment,
        };
        _byId.Remove(former.Id);
        _byId.Add(newId, successor);
        _idsOfInstances[former.InstanceId!] = newId;
        if (IsLeader(former.Id))
        {
            LeaderId = newId;
        }

        return successor;
    }

    /// <summary>Sees to it that the leader is one who has joined.</summary>
    /// <returns>False if nobody has.</returns>
    public bool ElectJoinedLeader()
    {
        if (LeaderId is { } leader && _byId[leader].AwaitingJoin is not null)
        {
            return true;
        }

        if (_byId.Values.FirstOrDefault(member => member.AwaitingJoin is not null) is { } joined)
        {
            LeaderId = joined.Id;
            return true;
        }

        return false;
    }

    /// <summary>Takes the log's word for who leads.</summary>
    public void Restore(string? leader) => LeaderId = leader is not null && _byId.ContainsKey(leader) ? leader : _byId.Keys.FirstOrDefault();

    public static void AnswerSync(GroupMember member, SyncGroupAnswer answer, CoordinatorResult<GroupRecord> result)
    {
        if (member.AwaitingSync is { } reply)
        {
            member.AwaitingSync = null;
            result.Answer(reply, answer);
        }
    }
}
