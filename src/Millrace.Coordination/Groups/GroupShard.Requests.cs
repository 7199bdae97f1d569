using Millrace.Coordination.Groups.Classic;
using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Offsets;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups;

/// <content>What clients ask for.</content>
internal sealed partial class GroupShard
{
    public CoordinatorResult<GroupRecord> Join(JoinGroupCommand command, Reply<JoinGroupAnswer> reply)
    {
        var result = new CoordinatorResult<GroupRecord>();
        var memberId = command.Member.MemberId;
        var group = _groups.GetValueOrDefault(command.GroupId);
        if (ValidateJoin(command, group) is var error && error != GroupError.None)
        {
            result.Answer(reply, JoinGroupAnswer.Refused(error, memberId));
            return result;
        }

        group ??= new ClassicGroup(command.GroupId, _context.Now);
        _join.Join(group, command, reply, result);
        if (group.State != GroupState.Empty || group.Members.Pending > 0)
        {
            _groups.TryAdd(group.Id, group);
        }

        return result;
    }

    public CoordinatorResult<GroupRecord> Sync(SyncGroupCommand command, Reply<SyncGroupAnswer> reply)
    {
        var result = new CoordinatorResult<GroupRecord>();
        if (Find(command.GroupId, out var group) is var error && error != GroupError.None)
        {
            result.Answer(reply, SyncGroupAnswer.Refused(error));
        }
        else
        {
            _sync.Sync(group, command, reply, result);
        }

        return result;
    }

    public CoordinatorResult<GroupRecord> Heartbeat(HeartbeatCommand command, Reply<GroupError> reply)
    {
        var result = new CoordinatorResult<GroupRecord>();
        var error = Find(command.GroupId, out var group);
        result.Answer(reply, error == GroupError.None ? GroupMembership.Heartbeat(group, command) : error);
        return result;
    }

    public CoordinatorResult<GroupRecord> Leave(LeaveGroupCommand command, Reply<LeaveGroupAnswer> reply)
    {
        var result = new CoordinatorResult<GroupRecord>();
        var error = Find(command.GroupId, out var group);
        var answer = error switch
        {
            GroupError.None => new LeaveGroupAnswer(GroupError.None, _membership.Leave(group, command.Members, result)),
            // Nobody is a member of a group that does not exist.
            GroupError.UnknownMember => new LeaveGroupAnswer(GroupError.None, [.. command.Members.Select(member => new LeftMember(member, error))]),
            _ => new LeaveGroupAnswer(error, []),
        };
        result.Answer(reply, answer);
        return result;
    }

    public CoordinatorResult<GroupRecord> Commit(OffsetCommitCommand command, Reply<OffsetCommitAnswer> reply)
    {
        var result = new CoordinatorResult<GroupRecord>();
        var group = _groups.GetValueOrDefault(command.GroupId);
        var error = group is not null ? OffsetCommits.Validate(group, command)
            // Without membership a group comes into being by its first commit.
            : command.Generation < 0 ? GroupError.None
            : command.KnowsGroupNotFound ? GroupError.GroupNotFound
            : GroupError.IllegalGeneration;
        if (error != GroupError.None)
        {
            result.Answer(reply, new OffsetCommitAnswer(error, []));
            return result;
        }

        if (group?.State is GroupState.Stable or GroupState.PreparingRebalance)
        {
            group.Members.Find(command.Member.MemberId)?.RestartSession();
        }

        result.Answer(reply, _commits.Commit(command, result));
        if (result.Records.Count > 0)
        {
            _groups.TryAdd(command.GroupId, group ?? new ClassicGroup(command.GroupId, -1));
        }

        return result;
    }

    public CoordinatorResult<GroupRecord> Fetch(OffsetFetchQuery query, Reply<OffsetFetchAnswer> reply)
    {
        var result = new CoordinatorResult<GroupRecord>();
        var offsets = Offsets.Of(query.GroupId);
        IEnumerable<TopicOffsets> topics = query.Topics is { } asked
            ? asked.Select(topic => new TopicOffsets(topic.Topic, [.. topic.Partitions.Select(partition => OffsetOf(offsets, topic, partition))]))
            : (offsets?.Topics ?? []).Select(topic => new TopicOffsets(topic, [.. offsets!.Of(topic).Select(offset => Show(offset.Key, offset.Value))]));
        result.Answer(reply, new OffsetFetchAnswer(GroupError.None, [.. topics]));
        return result;
    }

    public CoordinatorResult<GroupRecord> Describe(string groupId, Reply<GroupDescription> reply)
    {
        var result = new CoordinatorResult<GroupRecord>();
        result.Answer(
            reply,
            _groups.TryGetValue(groupId, out var group) ? Describe(group) : new GroupDescription { GroupId = groupId, Error = GroupError.GroupNotFound });
        return result;
    }

    public CoordinatorResult<GroupRecord> List(Reply<IReadOnlyList<GroupListing>> reply)
    {
        var result = new CoordinatorResult<GroupRecord>();
        result.Answer(
            reply,
            [.. _groups.Values.Select(group => new GroupListing(group.Id, group.ProtocolType ?? "", group.State, ClassicGroup.TypeName))]);
        return result;
    }

    public CoordinatorResult<GroupRecord> Delete(string groupId, Reply<GroupError> reply)
    {
        // The group goes with the last record: as long as that is not there, it is not deleted, and the client not told.
        var result = new CoordinatorResult<GroupRecord> { MaySplit = true };
        if (!_groups.TryGetValue(groupId, out var group))
        {
            result.Answer(reply, GroupError.GroupNotFound);
        }
        else if (group.State != GroupState.Empty)
        {
            result.Answer(reply, GroupError.NonEmptyGroup);
        }
        else
        {
            if (Offsets.Of(groupId) is { } offsets)
            {
                foreach (var topic in offsets.Topics)
                {
                    RemoveOffsets(groupId, offsets, topic, (_, _) => true, result);
                }
            }

            Forget(group, result);
            result.Answer(reply, GroupError.None);
        }

        return result;
    }

    public CoordinatorResult<GroupRecord> DeleteOffsets(OffsetDeleteCommand command, Reply<OffsetDeleteAnswer> reply)
    {
        var result = new CoordinatorResult<GroupRecord> { MaySplit = true };
        var group = _groups.GetValueOrDefault(command.GroupId);
        var error = command.GroupId.Length == 0 ? GroupError.InvalidGroupId
            : group is null ? GroupError.GroupNotFound
            // Whether members use an offset is known of consumers only.
            : group.State != GroupState.Empty && !group.IsConsumerGroup ? GroupError.NonEmptyGroup
            : GroupError.None;
        if (error != GroupError.None)
        {
            result.Answer(reply, OffsetDeleteAnswer.Refused(error));
            return result;
        }

        var subscribed = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (topic, partitions) in command.Topics)
        {
            if (group!.IsConsumerGroup && group.SubscribedTopics?.Contains(topic) == true)
            {
                subscribed.Add(topic);
            }
            else if (Offsets.Of(command.GroupId) is { } offsets)
            {
                RemoveOffsets(command.GroupId, offsets, topic, (partition, _) => partitions.Contains(partition), result);
            }
        }

        result.Answer(reply, new OffsetDeleteAnswer(GroupError.None, subscribed));
        return result;
    }

    /// <summary>A topic has been deleted: offsets that were committed for it go.</summary>
    public CoordinatorResult<GroupRecord> RemoveTopic(string topic, Guid topicId, Reply<GroupError> reply)
    {
        var result = new CoordinatorResult<GroupRecord> { MaySplit = true };
        foreach (var (groupId, offsets) in Offsets.Groups)
        {
            RemoveOffsets(groupId, offsets, topic, (_, offset) => offset.IsOf(topicId), result);
        }

        result.Answer(reply, GroupError.None);
        return result;
    }

    private GroupError ValidateJoin(JoinGroupCommand command, ClassicGroup? group)
    {
        if (command.GroupId.Length == 0)
        {
            return GroupError.InvalidGroupId;
        }

        if (command.SessionTimeout < _options.MinSessionTimeout || command.SessionTimeout > _options.MaxSessionTimeout)
        {
            return GroupError.InvalidSessionTimeout;
        }

        if (command.Protocols.Sum(protocol => (long)protocol.Name.Length + protocol.Metadata.Length) > _context.MaxBatchBytes)
        {
            return GroupError.MemberTooLarge;
        }

        return group is null && command.Member.MemberId.Length > 0 ? GroupError.UnknownMember : GroupError.None;
    }

    private GroupError Find(string groupId, out ClassicGroup group)
    {
        group = _groups.GetValueOrDefault(groupId)!;
        return groupId.Length == 0 ? GroupError.InvalidGroupId
            : group is null ? GroupError.UnknownMember
            : GroupError.None;
    }

    private static PartitionOffset OffsetOf(GroupOffsets? offsets, TopicOffsetsQuery topic, int partition) =>
        offsets?.Find(topic.Topic, partition) is { } offset && offset.IsOf(topic.TopicId) ? Show(partition, offset) : PartitionOffset.None(partition);

    private static PartitionOffset Show(int partition, CommittedOffset offset) => new(partition, offset.Offset, offset.LeaderEpoch, offset.Metadata);

    private static GroupDescription Describe(ClassicGroup group)
    {
        var protocol = group.State == GroupState.Stable ? group.ProtocolName : null;
        return new GroupDescription
        {
            GroupId = group.Id,
            State = group.State,
            ProtocolType = group.ProtocolType ?? "",
            ProtocolName = protocol ?? "",
            Members =
            [
                .. group.Members.All.Select(member => new MemberDescription(
                    member.Id, member.InstanceId, member.ClientId, member.ClientHost,
                    protocol is null ? default : member.MetadataFor(protocol), member.Assignment)),
            ],
        };
    }

    private static void RemoveOffsets(
        string groupId, GroupOffsets offsets, string topic, Func<int, CommittedOffset, bool> match, CoordinatorResult<GroupRecord> result)
    {
        foreach (var (partition, _) in offsets.Of(topic).Reverse().Where(offset => match(offset.Key, offset.Value)))
        {
            result.Append(new OffsetRecord(groupId, topic, partition, null));
        }
    }
}
