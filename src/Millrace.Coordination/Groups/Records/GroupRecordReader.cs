using System.Buffers.Binary;
using Millrace.Coordination.Shards;
using Millrace.Protocol;
using Millrace.Protocol.Messages;

namespace Millrace.Coordination.Groups.Records;

/// <summary>Reads what <see cref="GroupRecordCodec"/> writes, and what Kafka does.</summary>
/// <remarks>
/// A log that was rewritten has the offsets of a group's topic one behind another, and a million of them have few names: those of the key before are taken
/// again where they are the same.
/// </remarks>
internal sealed class GroupRecordReader : ICoordinatorRecordReader<GroupRecord>
{
    // The last field of an offset's key, behind the names.
    private const int PartitionBytes = sizeof(int);

    private OffsetCommitKey? _named;

    // How a key with the same names begins.
    private byte[] _names = [];

    public bool TryRead(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value, out GroupRecord record)
    {
        switch (VersionedBytes.PeekVersion(key))
        {
            case (GroupRecordCodec.OldOffsetKey or GroupRecordCodec.OffsetKey) and var kind:
                var (named, partition) = ReadOffsetKey(key, kind);
                var committed = value is { } stored ? FromValue(VersionedBytes.Decode<OffsetCommitValue>(stored)) : null;
                record = new OffsetRecord(named.Group, named.Topic, partition, committed);
                return true;
            case GroupRecordCodec.GroupKey:
                var group = VersionedBytes.DecodeKey<GroupMetadataKey>(key);
                record = new GroupMetadataRecord(group.Group, value is { } image ? FromValue(VersionedBytes.Decode<GroupMetadataValue>(image)) : null);
                return true;
            default:
                record = null!;
                return false;
        }
    }

    private (OffsetCommitKey Names, int Partition) ReadOffsetKey(ReadOnlyMemory<byte> key, short kind)
    {
        if (_named is not null && key.Length == _names.Length + PartitionBytes && key.Span.StartsWith(_names))
        {
            return (_named, BinaryPrimitives.ReadInt32BigEndian(key.Span[_names.Length..]));
        }

        _named = VersionedBytes.DecodeKey<OffsetCommitKey>(key);
        _names = VersionedBytes.EncodeKey(_named, kind)[..^PartitionBytes];
        return (_named, _named.Partition);
    }

    private static CommittedOffset FromValue(OffsetCommitValue value) => new()
    {
        Offset = value.Offset,
        LeaderEpoch = value.LeaderEpoch,
        Metadata = value.Metadata,
        CommitTimestamp = value.CommitTimestamp,
        ExpireTimestamp = value.ExpireTimestamp,
        TopicId = value.TopicId,
    };

    private static GroupImage FromValue(GroupMetadataValue value) => new()
    {
        ProtocolType = value.ProtocolType,
        Generation = value.Generation,
        Protocol = value.Protocol,
        Leader = value.Leader,
        StateTimestamp = value.CurrentStateTimestamp,
        Members = [.. value.Members.Select(FromValue)],
    };

    private static MemberImage FromValue(GroupMetadataValue.MemberMetadata value) => new()
    {
        MemberId = value.MemberId,
        InstanceId = value.GroupInstanceId,
        ClientId = value.ClientId,
        ClientHost = value.ClientHost,
        // Kafka's oldest form has one timeout for both.
        RebalanceTimeout = TimeSpan.FromMilliseconds(value.RebalanceTimeout < 0 ? value.SessionTimeout : value.RebalanceTimeout),
        SessionTimeout = TimeSpan.FromMilliseconds(value.SessionTimeout),
        // The frame that it was read from is not ours to keep.
        Subscription = value.Subscription.ToArray(),
        Assignment = value.Assignment.ToArray(),
    };
}
