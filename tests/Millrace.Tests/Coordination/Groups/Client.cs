using System.Text;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Shards;
using Millrace.Protocol;
using Millrace.Protocol.Messages;

namespace Millrace.Tests.Coordination.Groups;

/// <summary>A client of the group <c>g</c>: keeps what the coordinator told it, as a consumer does.</summary>
internal sealed class Client(GroupShardDriver driver, string name)
{
    public string MemberId { get; set; } = "";

    public string? InstanceId { get; init; }

    public int Generation { get; set; } = -1;

    public string[] Topics { get; set; } = ["t"];

    public string[] Protocols { get; init; } = ["range"];

    public string ProtocolType { get; init; } = "consumer";

    public TimeSpan SessionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan RebalanceTimeout { get; init; } = TimeSpan.FromSeconds(60);

    public bool KnowsMemberIdRequired { get; init; }

    public bool KnowsSkipAssignment { get; init; }

    public MemberIdentity Identity => new(MemberId, InstanceId);

    public Reply<JoinGroupAnswer>? Joining { get; private set; }

    public JoinGroupAnswer Joined => Joining!.Given;

    public bool IsLeader => Joined.Leader == MemberId;

    /// <summary>Joins; what comes of it is noted when it is answered.</summary>
    public Client Join()
    {
        driver.Note($"{name} joins");
        Joining = driver.Ask<JoinGroupAnswer>((shard, reply) => shard.Join(JoinCommand(), reply));
        _ = Joining.Delivered.ContinueWith(answer => OnJoined(answer.Result), CancellationToken.None, TaskContinuationOptions.None, Inline.Scheduler);
        return this;
    }

    public Reply<SyncGroupAnswer> Sync(params (Client Member, string Assignment)[] assignments)
    {
        driver.Note($"{name} syncs");
        var command = new SyncGroupCommand
        {
            GroupId = "g",
            Member = Identity,
            Generation = Generation,
            Assignments = [.. assignments.Select(assigned => KeyValuePair.Create(assigned.Member.MemberId, Bytes(assigned.Assignment)))],
        };
        var reply = driver.Ask<SyncGroupAnswer>((shard, answer) => shard.Sync(command, answer));
        _ = reply.Delivered.ContinueWith(
            answer => driver.Note(answer.Result.Error == GroupError.None
                ? $"{name} <- assigned {Encoding.UTF8.GetString(answer.Result.Assignment.Span)}"
                : $"{name} <- {answer.Result.Error}"),
            CancellationToken.None, TaskContinuationOptions.None, Inline.Scheduler);
        return reply;
    }

    public GroupError Heartbeat() =>
        driver.Get<GroupError>((shard, reply) => shard.Heartbeat(new HeartbeatCommand("g", Identity, Generation), reply));

    public GroupError Leave() =>
        driver.Get<LeaveGroupAnswer>((shard, reply) => shard.Leave(new LeaveGroupCommand("g", [Identity]), reply)).Members[0].Error;

    public OffsetCommitAnswer Commit(long offset, string topic = "t", string metadata = "", bool knowsGroupNotFound = true) =>
        driver.Get<OffsetCommitAnswer>((shard, reply) => shard.Commit(
            new OffsetCommitCommand
            {
                GroupId = "g",
                Member = Identity,
                Generation = Generation,
                KnowsGroupNotFound = knowsGroupNotFound,
                Offsets = [new OffsetToCommit(topic, Guid.Empty, 0, offset, -1, metadata)],
            },
            reply));

    public JoinGroupCommand JoinCommand() => new()
    {
        GroupId = "g",
        Member = Identity,
        ClientId = name,
        ClientHost = "/127.0.0.1",
        SessionTimeout = SessionTimeout,
        RebalanceTimeout = RebalanceTimeout,
        ProtocolType = ProtocolType,
        Protocols =
        [
            .. Protocols.Select(protocol => new GroupProtocol(
                protocol, VersionedBytes.Encode(new ConsumerProtocolSubscription { Topics = Topics }, 1))),
        ],
        KnowsMemberIdRequired = KnowsMemberIdRequired,
        KnowsSkipAssignment = KnowsSkipAssignment,
    };

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private void OnJoined(JoinGroupAnswer answer)
    {
        if (answer.Error is GroupError.None or GroupError.MemberIdRequired)
        {
            MemberId = answer.MemberId;
            Generation = answer.Generation;
        }

        driver.Note(answer.Error == GroupError.None
            ? $"{name} <- generation {answer.Generation} {(IsLeader ? $"leader of {answer.Members.Count}" : "follower")}"
            : $"{name} <- {answer.Error}");
    }
}
