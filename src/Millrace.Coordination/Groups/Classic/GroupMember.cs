using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups.Classic;

/// <summary>A member of a classic group.</summary>
internal sealed class GroupMember(string id, string? instanceId, string clientId, string clientHost)
{
    public string Id => id;

    public string? InstanceId => instanceId;

    public string ClientId => clientId;

    public string ClientHost => clientHost;

    public bool IsStatic => instanceId is not null;

    public TimeSpan SessionTimeout { get; set; }

    public TimeSpan RebalanceTimeout { get; set; }

    /// <summary>In the member's order of preference.</summary>
    public IReadOnlyList<GroupProtocol> Protocols { get; set; } = [];

    public ReadOnlyMemory<byte> Assignment { get; set; }

    /// <summary>The member has joined and waits for the others.</summary>
    public Reply<JoinGroupAnswer>? AwaitingJoin { get; set; }

    /// <summary>The member waits for the leader's assignment.</summary>
    public Reply<SyncGroupAnswer>? AwaitingSync { get; set; }

    /// <summary>It has not got the answer to its first join, so it cannot send heartbeats yet.</summary>
    public bool IsNew { get; set; }

    /// <summary>Runs out when the member has been silent for too long.</summary>
    public ShardTimer<GroupRecord>? Session { get; set; }

    /// <summary>The member is alive now.</summary>
    public void RestartSession() => Session!.Start(SessionTimeout);

    public bool Supports(string protocol) => Protocols.Any(supported => supported.Name == protocol);

    /// <summary>What it says under a protocol; nothing if it does not support it.</summary>
    public ReadOnlyMemory<byte> MetadataFor(string? protocol) =>
        Protocols.FirstOrDefault(supported => supported.Name == protocol).Metadata;

    /// <summary>Whether it said the same when it joined.</summary>
    public bool Matches(IReadOnlyList<GroupProtocol> protocols) =>
        Protocols.Count == protocols.Count
        && Protocols.Zip(protocols).All(pair => pair.First.Name == pair.Second.Name && pair.First.Metadata.Span.SequenceEqual(pair.Second.Metadata.Span));

    public MemberImage ToImage(string? protocol) => new()
    {
        MemberId = id,
        InstanceId = instanceId,
        ClientId = clientId,
        ClientHost = clientHost,
        RebalanceTimeout = RebalanceTimeout,
        SessionTimeout = SessionTimeout,
        Subscription = MetadataFor(protocol),
        Assignment = Assignment,
    };

    public static GroupMember FromImage(MemberImage image, string? protocol) => new(image.MemberId, image.InstanceId, image.ClientId, image.ClientHost)
    {
        SessionTimeout = image.SessionTimeout,
        RebalanceTimeout = image.RebalanceTimeout,
        Protocols = [new GroupProtocol(protocol ?? "", image.Subscription)],
        Assignment = image.Assignment,
    };
}
