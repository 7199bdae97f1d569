using Millrace.Coordination.Groups.Classic;
using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;

namespace Millrace.Coordination.Groups.Offsets;

/// <summary>Commits: who may, and what becomes of them.</summary>
internal sealed class OffsetCommits(GroupOptions options, ShardContext<GroupRecord> context)
{
    /// <summary>Whether a commit may be made to the group now. A group that stores offsets only is always empty.</summary>
    public static GroupError Validate(ClassicGroup group, OffsetCommitCommand command)
    {
        if (command.Generation < 0 && group.State == GroupState.Empty)
        {
            return GroupError.None;
        }

        if (command.Generation < 0 && command.Member is { MemberId.Length: 0, InstanceId: null })
        {
            // Somebody from outside, while the group has members: they might commit the same partitions.
            return GroupError.UnknownMember;
        }

        var error = group.Members.Validate(command.Member);
        return error != GroupError.None ? error
            : command.Generation != group.Generation ? GroupError.IllegalGeneration
            // The member is of the new generation, but was not told its partitions: it cannot know what it commits.
            : group.State == GroupState.CompletingRebalance ? GroupError.RebalanceInProgress
            : GroupError.None;
    }

    /// <summary>Stores what can be stored of a valid commit.</summary>
    public OffsetCommitAnswer Commit(OffsetCommitCommand command, CoordinatorResult<GroupRecord> result)
    {
        var now = context.Now;
        var expires = command.Retention is { } retention ? now + (long)retention.TotalMilliseconds : -1;
        var errors = command.Offsets
            .Select(offset => offset.Metadata.Length > options.MaxOffsetMetadata ? GroupError.OffsetMetadataTooLarge : GroupError.None)
            .ToList();
        var records = command.Offsets
            .Where((_, index) => errors[index] == GroupError.None)
            .Select(offset => ToRecord(command.GroupId, offset, now, expires))
            .ToList();
        if (records.Sum(SizeBound) > context.MaxBatchBytes - RecordBuffer<GroupRecord>.Overhead)
        {
            // A commit is stored as a whole or not at all, so it has to fit in one batch.
            return new OffsetCommitAnswer(GroupError.CommitTooLarge, []);
        }

        records.ForEach(result.Append);
        return new OffsetCommitAnswer(GroupError.None, errors);
    }

    private static OffsetRecord ToRecord(string groupId, in OffsetToCommit offset, long now, long expires) =>
        new(groupId, offset.Topic, offset.Partition, new CommittedOffset
        {
            Offset = offset.Offset,
            LeaderEpoch = offset.LeaderEpoch,
            Metadata = offset.Metadata,
            CommitTimestamp = now,
            ExpireTimestamp = expires,
            TopicId = offset.TopicId,
        });

    // Strings at three bytes a character, and fixed fields and lengths of key and value with the record's own.
    private static long SizeBound(OffsetRecord record) => 128 + 3L * (record.GroupId.Length + record.Topic.Length + record.Value!.Metadata.Length);
}
