using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace Millrace.Server.Cli.Seeking;

/// <summary>A group whose offsets are looked at and moved through an admin client.</summary>
internal sealed class SeekingGroup(IAdminClient admin, string name, TimeSpan timeout)
{
    /// <summary>Members hold their place in memory, and would commit over what is set: so the group must have none.</summary>
    /// <returns>Whether there is such a group at all.</returns>
    /// <exception cref="CommandFailedException">It has members.</exception>
    public async Task<bool> CheckInactiveAsync()
    {
        var described = await GroupCalls.RepeatAsync(
            timeout, () => admin.DescribeConsumerGroupsAsync([name], new DescribeConsumerGroupsOptions { RequestTimeout = timeout }));
        var group = described.ConsumerGroupDescriptions[0];
        return group.State is ConsumerGroupState.Empty or ConsumerGroupState.Dead
            ? group.State == ConsumerGroupState.Empty
            : throw HasMembers($"{group.Members.Count} ({group.State})");
    }

    /// <summary>The partitions it has committed, of topics that are still there.</summary>
    public async Task<IReadOnlyList<TopicScope>> CommittedAsync()
    {
        var topics = admin.GetMetadata(timeout).Topics.Select(topic => topic.Topic).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. (await OffsetsAsync(null)).Keys
                .GroupBy(partition => partition.Topic, partition => partition.Partition.Value)
                .Where(topic => topics.Contains(topic.Key))
                .Select(topic => new TopicScope(topic.Key, [.. topic])),
        ];
    }

    public async Task<IReadOnlyList<TopicPartition>> ResolveAsync(IReadOnlyCollection<TopicScope> scopes)
    {
        var described = await admin.DescribeTopicsAsync(
            TopicCollection.OfTopicNames(scopes.Select(scope => scope.Topic).Distinct()), new DescribeTopicsOptions { RequestTimeout = timeout });
        var counts = described.TopicDescriptions.ToDictionary(topic => topic.Name, topic => topic.Partitions.Count);
        return [.. scopes.SelectMany(scope => scope.Resolve(counts[scope.Topic])).Distinct()];
    }

    /// <summary>In the order of the partitions.</summary>
    public async Task<IReadOnlyList<SeekPosition>> PositionsAsync(IReadOnlyList<TopicPartition> partitions, long? time)
    {
        var committed = await OffsetsAsync([.. partitions]);
        var earliest = await ListAsync(partitions, OffsetSpec.Earliest());
        var latest = await ListAsync(partitions, OffsetSpec.Latest());
        var atTime = time is { } at ? await ListAsync(partitions, OffsetSpec.ForTimestamp(at)) : [];
        return
        [
            .. partitions.Select(partition => new SeekPosition(
                partition,
                committed.TryGetValue(partition, out var offset) ? offset : null,
                earliest[partition],
                latest[partition],
                atTime.TryGetValue(partition, out var found) && found >= 0 ? found : null)),
        ];
    }

    public async Task CommitAsync(IEnumerable<TopicPartitionOffset> offsets)
    {
        try
        {
            var moved = new ConsumerGroupTopicPartitionOffsets(name, [.. offsets]);
            await GroupCalls.RepeatAsync(
                timeout, () => admin.AlterConsumerGroupOffsetsAsync([moved], new AlterConsumerGroupOffsetsOptions { RequestTimeout = timeout }));
        }
        catch (AlterConsumerGroupOffsetsException refusal) when (refusal.Results[0].Partitions.Any(IsForMembersOnly))
        {
            throw HasMembers("some since a moment ago");
        }
    }

    private static bool IsForMembersOnly(TopicPartitionOffsetError partition) =>
        partition.Error.Code is ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.RebalanceInProgress;

    private async Task<Dictionary<TopicPartition, long>> OffsetsAsync(List<TopicPartition>? partitions)
    {
        var listed = await GroupCalls.RepeatAsync(timeout, () => admin.ListConsumerGroupOffsetsAsync(
            [new ConsumerGroupTopicPartitions(name, partitions)], new ListConsumerGroupOffsetsOptions { RequestTimeout = timeout }));
        return listed[0].Partitions
            .Where(partition => partition.Offset >= 0)
            .ToDictionary(partition => partition.TopicPartition, partition => partition.Offset.Value);
    }

    private async Task<Dictionary<TopicPartition, long>> ListAsync(IEnumerable<TopicPartition> partitions, OffsetSpec spec)
    {
        var listed = await admin.ListOffsetsAsync(
            partitions.Select(partition => new TopicPartitionOffsetSpec { TopicPartition = partition, OffsetSpec = spec }),
            new ListOffsetsOptions { RequestTimeout = timeout });
        return listed.ResultInfos.ToDictionary(
            info => info.TopicPartitionOffsetError.TopicPartition, info => info.TopicPartitionOffsetError.Offset.Value);
    }

    private CommandFailedException HasMembers(string members) => new(
        ExitCode.Failed,
        $"Group '{name}' has members, {members}: they would commit over what is set. Stop them first; "
        + $"`millrace group describe {name} --members` names them.");
}
