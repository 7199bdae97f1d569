using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;
using Millrace.Metadata.Image;
using Millrace.Runtime;

namespace Millrace.Coordination.Groups;

/// <summary>
/// The group coordinator of one node: finds the shard that a group lives in and brings requests to it. Answers come when
/// everything they say is durable; a join waits for the group besides.
/// </summary>
/// <remarks>
/// Threading: any thread. Errors: all that can be said to a client is in the answers; a token that is cancelled ends the wait,
/// not the operation.
/// </remarks>
public sealed class GroupCoordinator
{
    /// <summary>The topic that keeps the groups.</summary>
    public const string TopicName = InternalTopics.ConsumerOffsets;

    private readonly CoordinatorRuntime<GroupShard, GroupRecord> _shards;
    private volatile int _partitionCount;

    public GroupCoordinator(NodeRuntime runtime, GroupOptions options)
    {
        _shards = new CoordinatorRuntime<GroupShard, GroupRecord>(
            runtime, TopicName, context => new GroupShard(options, context), new GroupRecordCodec(), options.SpareRecords);
    }

    /// <summary>The partitions of the topic in the cluster; 0 as long as it does not exist. Never changes once it does, since groups would move.</summary>
    public int PartitionCount
    {
        get => _partitionCount;
        set => _partitionCount = value;
    }

    /// <summary>The groups of this node's shards that are loaded.</summary>
    public int GroupCount => _shards.Count;

    /// <summary>The partition that a group lives in, computed as Kafka's tools do it.</summary>
    public static int PartitionOf(string groupId, int partitionCount)
    {
        // Java's hash of a string over its UTF-16 units.
        var hash = 0;
        foreach (var unit in groupId)
        {
            hash = unchecked(31 * hash + unit);
        }

        return (hash & int.MaxValue) % partitionCount;
    }

    /// <summary>This node leads a partition of the topic from now on, at a higher epoch than before.</summary>
    public void Elect(int partition, int leaderEpoch, IPartitionWriter writer, IPartitionLoader loader) =>
        _shards.Elect(partition, leaderEpoch, writer, loader);

    /// <summary>This node is to lead a partition of the topic next: its groups are read while another node leads it.</summary>
    /// <param name="partition">Its number.</param>
    /// <param name="maxBatchBytes">What a batch may take there.</param>
    /// <param name="committed">Reads what is committed of it.</param>
    /// <param name="tell">Hears up to which offset it was read, again and again.</param>
    public void WarmUp(int partition, int maxBatchBytes, IPartitionLoader committed, Func<long, CancellationToken, Task> tell) =>
        _shards.WarmUp(partition, maxBatchBytes, committed, tell);

    /// <summary>It is not to lead the partition after all.</summary>
    public void CoolDown(int partition) => _shards.CoolDown(partition);

    /// <summary>This node does not lead the partition any more, or not at this epoch.</summary>
    public void Resign(int partition, int leaderEpoch) => _shards.Resign(partition, leaderEpoch);

    public Task<JoinGroupAnswer> JoinAsync(JoinGroupCommand command, CancellationToken token) =>
        AskAsync<JoinGroupAnswer>(
            command.GroupId, (shard, reply) => shard.Join(command, reply), error => JoinGroupAnswer.Refused(error, command.Member.MemberId), token);

    public Task<SyncGroupAnswer> SyncAsync(SyncGroupCommand command, CancellationToken token) =>
        AskAsync<SyncGroupAnswer>(command.GroupId, (shard, reply) => shard.Sync(command, reply), SyncGroupAnswer.Refused, token);

    public Task<GroupError> HeartbeatAsync(HeartbeatCommand command, CancellationToken token) =>
        AskAsync<GroupError>(
            command.GroupId,
            (shard, reply) => shard.Heartbeat(command, reply),
            // A member that is told of our loading could do nothing but ask again. Its session begins anew when we have loaded.
            error => error == GroupError.CoordinatorLoading ? GroupError.None : error,
            token);

    public Task<LeaveGroupAnswer> LeaveAsync(LeaveGroupCommand command, CancellationToken token) =>
        AskAsync<LeaveGroupAnswer>(command.GroupId, (shard, reply) => shard.Leave(command, reply), error => new LeaveGroupAnswer(error, []), token);

    public Task<OffsetCommitAnswer> CommitAsync(OffsetCommitCommand command, CancellationToken token) =>
        AskAsync<OffsetCommitAnswer>(command.GroupId, (shard, reply) => shard.Commit(command, reply), error => new OffsetCommitAnswer(error, []), token);

    public Task<OffsetFetchAnswer> FetchAsync(OffsetFetchQuery query, CancellationToken token) =>
        AskAsync<OffsetFetchAnswer>(query.GroupId, (shard, reply) => shard.Fetch(query, reply), error => new OffsetFetchAnswer(error, []), token);

    public Task<GroupDescription> DescribeAsync(string groupId, CancellationToken token) =>
        AskAsync<GroupDescription>(
            groupId, (shard, reply) => shard.Describe(groupId, reply), error => new GroupDescription { GroupId = groupId, Error = error }, token);

    public Task<GroupError> DeleteAsync(string groupId, CancellationToken token) =>
        AskAsync<GroupError>(groupId, (shard, reply) => shard.Delete(groupId, reply), error => error, token);

    public Task<OffsetDeleteAnswer> DeleteOffsetsAsync(OffsetDeleteCommand command, CancellationToken token) =>
        AskAsync<OffsetDeleteAnswer>(command.GroupId, (shard, reply) => shard.DeleteOffsets(command, reply), OffsetDeleteAnswer.Refused, token);

    /// <summary>The groups of this node's shards; an error as long as one of them is loading.</summary>
    public async Task<GroupListAnswer> ListAsync(CancellationToken token)
    {
        var asked = _shards.Led
            .Select(partition => _shards.SubmitAsync<IReadOnlyList<GroupListing>>(partition, (shard, reply) => shard.List(reply)))
            .ToList();
        var groups = new List<GroupListing>();
        var worst = GroupError.None;
        foreach (var shard in asked)
        {
            try
            {
                groups.AddRange(await shard.OrCancelled(token));
            }
            catch (CoordinatorException refused) when (refused.Error == CoordinatorError.NotHere)
            {
                // Its new coordinator lists it.
                continue;
            }
            catch (CoordinatorException refused)
            {
                worst = ToGroupError(refused.Error);
            }
        }

        return worst == GroupError.None ? new GroupListAnswer(worst, groups) : new GroupListAnswer(worst, []);
    }

    /// <summary>
    /// A topic was deleted: forgets the offsets that groups of this node's shards committed for it. A shard that cannot now keeps
    /// them: they are not taken for a later topic's of that name, and expire.
    /// </summary>
    public async Task RemoveTopicAsync(string topic, Guid topicId, CancellationToken token)
    {
        var asked = _shards.Led
            .Select(partition => _shards.SubmitAsync<GroupError>(partition, (shard, reply) => shard.RemoveTopic(topic, topicId, reply)))
            .ToList();
        foreach (var shard in asked)
        {
            await OrAsync(shard, error => error, token);
        }
    }

    private Task<TAnswer> AskAsync<TAnswer>(
        string groupId, Func<GroupShard, Reply<TAnswer>, CoordinatorResult<GroupRecord>> operation, Func<GroupError, TAnswer> refuse,
        CancellationToken token)
    {
        var partitions = PartitionCount;
        return partitions == 0
            ? Task.FromResult(refuse(GroupError.NotCoordinator))
            : OrAsync(_shards.SubmitAsync(PartitionOf(groupId, partitions), operation), refuse, token);
    }

    private static async Task<TAnswer> OrAsync<TAnswer>(Task<TAnswer> answer, Func<GroupError, TAnswer> refuse, CancellationToken token)
    {
        try
        {
            return await answer.OrCancelled(token);
        }
        catch (CoordinatorException refused)
        {
            return refuse(ToGroupError(refused.Error));
        }
    }

    private static GroupError ToGroupError(CoordinatorError error) => error switch
    {
        CoordinatorError.Loading => GroupError.CoordinatorLoading,
        CoordinatorError.NotHere => GroupError.NotCoordinator,
        CoordinatorError.Unavailable => GroupError.CoordinatorUnavailable,
        CoordinatorError.Failed => GroupError.Failed,
    };
}
