using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Millrace.Benchmarks.Failover;
using Millrace.Server.Cli;

namespace Millrace.Benchmarks.Drain;

/// <summary>Offsets of many groups without members, which are committed once, and must be there for good.</summary>
/// <param name="cluster">Where they are.</param>
/// <param name="topics">Whose partitions they are for, each group's for as many as it has offsets.</param>
/// <param name="partitions">Of each topic.</param>
/// <param name="groups">How many.</param>
/// <param name="offsets">Of each.</param>
internal sealed class StandingOffsets(ClusterUnderTest cluster, string[] topics, int partitions, int groups, int offsets)
{
    private const int AtOnce = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Commits those of all groups.</summary>
    /// <exception cref="KafkaException">One of them is refused.</exception>
    public async Task CommitAsync() => await ForEachAsync(async (admin, group, wanted) =>
        await GroupCalls.RepeatAsync(Patience, () => admin.AlterConsumerGroupOffsetsAsync(
            [new ConsumerGroupTopicPartitionOffsets(group, wanted)], new AlterConsumerGroupOffsetsOptions { RequestTimeout = Patience })));

    /// <summary>Reads them all back.</summary>
    /// <exception cref="InvalidOperationException">One is missing, or another.</exception>
    public async Task CheckAsync() => await ForEachAsync(async (admin, group, wanted) =>
    {
        var found = await OffsetsOfAsync(admin, group, wanted.Select(offset => offset.TopicPartition));
        if (wanted.Find(offset => found[offset.TopicPartition] != offset.Offset) is { } other)
        {
            throw new InvalidOperationException($"{group} has committed {other}, and {found[other.TopicPartition]} is what it has now");
        }
    });

    /// <summary>What any group has committed.</summary>
    public async Task<Dictionary<TopicPartition, Offset>> OffsetsOfAsync(string group, IEnumerable<TopicPartition> asked)
    {
        using var admin = Connect();
        return await OffsetsOfAsync(admin, group, asked);
    }

    private static async Task<Dictionary<TopicPartition, Offset>> OffsetsOfAsync(IAdminClient admin, string group, IEnumerable<TopicPartition> asked)
    {
        var answer = await GroupCalls.RepeatAsync(Patience, () => admin.ListConsumerGroupOffsetsAsync(
            [new ConsumerGroupTopicPartitions(group, [.. asked])], new ListConsumerGroupOffsetsOptions { RequestTimeout = Patience }));
        return answer[0].Partitions.ToDictionary(partition => partition.TopicPartition, partition => partition.Offset);
    }

    private async Task ForEachAsync(Func<IAdminClient, string, List<TopicPartitionOffset>, Task> act)
    {
        using var admin = Connect();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, groups),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (group, _) => await act(admin, $"standing-{group}", Of(group)));
    }

    /// <summary>A new client each time: one that still knows a former coordinator crashes where that tells it so, when it asks for offsets.</summary>
    private IAdminClient Connect() => new AdminClientBuilder(cluster.Client()).SetLogHandler((_, _) => { }).Build();

    /// <summary>Different in every group and partition.</summary>
    private List<TopicPartitionOffset> Of(int group) =>
    [
        .. Enumerable.Range(0, offsets).Select(at =>
            new TopicPartitionOffset(topics[at / partitions], at % partitions, ((long)group * offsets) + at)),
    ];
}
