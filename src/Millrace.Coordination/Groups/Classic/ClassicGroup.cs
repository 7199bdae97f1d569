using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>A group under the classic protocol: its state, generation and members. How it moves between states is in the classes beside it.</summary>
internal sealed class ClassicGroup
{
    /// <summary>Kafka's word for this kind of group.</summary>
    public const string TypeName = "classic";

    private const string ConsumerProtocolType = "consumer";

    public ClassicGroup(string id, long now)
    {
        Id = id;
        StateTimestamp = now;
    }

    public string Id { get; }

    public GroupState State { get; private set; } = GroupState.Empty;

    /// <summary>The state before this one.</summary>
    public GroupState FormerState { get; private set; } = GroupState.Empty;

    /// <summary>When it came to its state, in milliseconds since the Unix epoch; -1 if not known.</summary>
    public long StateTimestamp { get; private set; }

    public int Generation { get; set; }

    /// <summary>What the members do with the protocol, e.g. <c>consumer</c>; null for a group that only stores offsets.</summary>
    public string? ProtocolType { get; set; }

    /// <summary>The protocol chosen for this generation.</summary>
    public string? ProtocolName { get; set; }

    public GroupMembers Members { get; } = new();

    /// <summary>Topics that members consume as far as known: null if their subscriptions cannot be read, or are none.</summary>
    public IReadOnlySet<string>? SubscribedTopics { get; private set; }

    /// <summary>How much longer the first rebalance may be held open for members to come; null outside of one.</summary>
    public TimeSpan? JoinDelayLeft { get; set; }

    /// <summary>How long it is held open this time.</summary>
    public TimeSpan JoinDelay { get; set; }

    /// <summary>A member came while the first rebalance was held open.</summary>
    public bool MemberCameSinceDelay { get; set; }

    /// <summary>Ends the wait for members to join.</summary>
    public ShardTimer<GroupRecord>? JoinPhase { get; set; }

    /// <summary>Ends the wait for members to ask for their assignments.</summary>
    public ShardTimer<GroupRecord>? SyncPhase { get; set; }

    /// <summary>Members of this generation that have not asked for their assignments yet.</summary>
    public SortedSet<string> AwaitedToSync { get; } = new(StringComparer.Ordinal);

    public bool IsConsumerGroup => ProtocolType == ConsumerProtocolType;

    public void MoveTo(GroupState state, long now)
    {
        FormerState = State;
        State = state;
        StateTimestamp = now;
    }

    /// <summary>Whether a member with these could join: the first brings the type, the others share it and a protocol.</summary>
    public bool Supports(string protocolType, IReadOnlyList<GroupProtocol> protocols) =>
        State == GroupState.Empty
            ? protocolType.Length > 0 && protocols.Count > 0
            : ProtocolType == protocolType && Members.Share(protocols);

    /// <summary>Whether committed offsets of a topic are in use although they grow old. If in doubt, they are.</summary>
    public bool Uses(string topic) => SubscribedTopics?.Contains(topic) ?? IsConsumerGroup;

    /// <summary>Reads anew which topics the members consume.</summary>
    public void UpdateSubscribedTopics() =>
        SubscribedTopics = !IsConsumerGroup ? null
            : Members.Count == 0 ? new SortedSet<string>()
            : ProtocolName is null ? null
            : ConsumerSubscription.Topics(Members.All.Select(member => member.MetadataFor(ProtocolName)));

    /// <summary>The members as the leader gets to know them.</summary>
    public IReadOnlyList<JoinedMember> JoinedMembers() =>
        [.. Members.All.Select(member => new JoinedMember(member.Id, member.InstanceId, member.MetadataFor(ProtocolName)))];

    /// <summary>What a member hears of its generation.</summary>
    public JoinGroupAnswer AnswerFor(GroupMember member) => new()
    {
        MemberId = member.Id,
        Generation = Generation,
        ProtocolType = ProtocolType,
        ProtocolName = ProtocolName,
        Leader = Members.LeaderId ?? "",
        Members = Members.IsLeader(member.Id) ? JoinedMembers() : [],
    };

    public GroupImage ToImage() => new()
    {
        ProtocolType = ProtocolType ?? "",
        Generation = Generation,
        Protocol = ProtocolName,
        Leader = Members.LeaderId,
        StateTimestamp = StateTimestamp,
        Members = [.. Members.All.Select(member => member.ToImage(ProtocolName))],
    };

    /// <summary>The group of a former coordinator: stable if it has members.</summary>
    public static ClassicGroup FromImage(string id, GroupImage image)
    {
        var group = new ClassicGroup(id, image.StateTimestamp)
        {
            Generation = image.Generation,
            ProtocolType = image.ProtocolType.Length == 0 ? null : image.ProtocolType,
            ProtocolName = image.Protocol ?? (image.Members.Count == 0 ? null : ""),
            State = image.Members.Count == 0 ? GroupState.Empty : GroupState.Stable,
        };
        foreach (var member in image.Members)
        {
            group.Members.Add(GroupMember.FromImage(member, image.Protocol));
        }

        group.Members.Restore(image.Leader);
        group.UpdateSubscribedTopics();
        return group;
    }
}
