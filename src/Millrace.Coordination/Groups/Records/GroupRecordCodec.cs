using System.Buffers;
using Millrace.Coordination.Shards;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Coordination.Groups.Records;

/// <summary>Group records as Kafka writes them, so that its tools can read <c>__consumer_offsets</c>.</summary>
/// <remarks>
/// A key begins with the number of its kind (int16): 1 a committed offset (0 in Kafka's oldest logs), 2 a classic group. A value
/// begins with its own version. Versions written: offsets 4 with a topic id, 3 without, 1 where the client set an
/// expiry, which only that version has; groups 3.
/// </remarks>
internal sealed class GroupRecordCodec : ICoordinatorRecordCodec<GroupRecord>
{
    /// <summary>The kinds of keys.</summary>
    public const short OldOffsetKey = 0, OffsetKey = 1, GroupKey = 2;

    private const short GroupValueVersion = 3;

    public void WriteKey(GroupRecord record, IBufferWriter<byte> key)
    {
        switch (record)
        {
            case OffsetRecord offset:
                Write(key, OffsetKey, new OffsetCommitKey { Group = offset.GroupId, Topic = offset.Topic, Partition = offset.Partition }, 0);
                break;
            case GroupMetadataRecord group:
                Write(key, GroupKey, new GroupMetadataKey { Group = group.GroupId }, 0);
                break;
            default:
                throw new InvalidOperationException($"No such record: {record.GetType().Name}");
        }
    }

    public bool WriteValue(GroupRecord record, IBufferWriter<byte> value)
    {
        switch (record)
        {
            case OffsetRecord { Value: { } offset }:
                var version = VersionOf(offset);
                Write(value, version, ToValue(offset), version);
                return true;
            case GroupMetadataRecord { Value: { } group }:
                Write(value, GroupValueVersion, ToValue(group), GroupValueVersion);
                return true;
            default:
                return false;
        }
    }

    public ICoordinatorRecordReader<GroupRecord> NewReader() => new GroupRecordReader();

    private static short VersionOf(CommittedOffset offset) => (short)(offset.ExpireTimestamp >= 0 ? 1 : offset.TopicId != Guid.Empty ? 4 : 3);

    private static OffsetCommitValue ToValue(CommittedOffset offset) => new()
    {
        Offset = offset.Offset,
        LeaderEpoch = offset.LeaderEpoch,
        Metadata = offset.Metadata,
        CommitTimestamp = offset.CommitTimestamp,
        ExpireTimestamp = offset.ExpireTimestamp,
        TopicId = offset.TopicId,
    };

    private static GroupMetadataValue ToValue(GroupImage group) => new()
    {
        ProtocolType = group.ProtocolType,
        Generation = group.Generation,
        Protocol = group.Protocol,
        Leader = group.Leader,
        CurrentStateTimestamp = group.StateTimestamp,
        Members = [.. group.Members.Select(ToValue)],
    };

    private static GroupMetadataValue.MemberMetadata ToValue(MemberImage member) => new()
    {
        MemberId = member.MemberId,
        GroupInstanceId = member.InstanceId,
        ClientId = member.ClientId,
        ClientHost = member.ClientHost,
        RebalanceTimeout = (int)member.RebalanceTimeout.TotalMilliseconds,
        SessionTimeout = (int)member.SessionTimeout.TotalMilliseconds,
        Subscription = member.Subscription,
        Assignment = member.Assignment,
    };

    private static void Write<T>(IBufferWriter<byte> output, short prefix, T message, short version)
        where T : class, IVersionedMessage<T>
    {
        var writer = new KafkaWriter(output);
        writer.WriteInt16(prefix);
        message.Write(ref writer, version);
        writer.Flush();
    }
}
