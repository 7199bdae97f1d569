using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Groups without members, enough of them that each broker coordinates some: what was committed for them last stays, whoever dies.</summary>
/// <remarks>
/// The library's admin client goes to the coordinator that it has found for as long as that broker lives, whatever it answers: so each time it is another
/// client.
/// </remarks>
internal sealed class StandingCommits(string bootstrapServers, string topic)
{
    private const int Groups = 9;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly TopicPartition _committed = new(topic, 0);
    private long _offset;

    /// <summary>Commits an offset for each of them.</summary>
    public async Task CommitAsync(long offset)
    {
        foreach (var group in Names())
        {
            await UntilAnsweredAsync(admin => admin.AlterConsumerGroupOffsetsAsync(
                [new ConsumerGroupTopicPartitionOffsets(group, [new TopicPartitionOffset(_committed, offset)])],
                new AlterConsumerGroupOffsetsOptions { RequestTimeout = Limit }));
        }

        _offset = offset;
    }

    /// <summary>Each of them has what was committed last.</summary>
    public async Task AssertAreKeptAsync()
    {
        foreach (var group in Names())
        {
            var found = await UntilAnsweredAsync(admin => admin.ListConsumerGroupOffsetsAsync(
                [new ConsumerGroupTopicPartitions(group, [_committed])], new ListConsumerGroupOffsetsOptions { RequestTimeout = Limit }));
            Assert.Equal((group, _offset), (group, found[0].Partitions[0].Offset.Value));
        }
    }

    private IEnumerable<string> Names() => Enumerable.Range(0, Groups).Select(index => $"{topic}-standing-{index}");

    /// <summary>Whoever coordinates a group may be gone, and its successor may be loading.</summary>
    private async Task<T> UntilAnsweredAsync<T>(Func<IAdminClient, Task<T>> ask)
    {
        T? answer = default;
        Exception? last = null;
        var isAnswered = await Eventually.BecomesTrueAsync(async () =>
        {
            using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrapServers })
                .SetLogHandler((_, _) => { }).SetErrorHandler((_, _) => { }).Build();
            try
            {
                answer = await ask(admin);
                return true;
            }
            catch (KafkaException failure)
            {
                last = failure;
                return false;
            }
        });
        Assert.True(isAnswered, last?.ToString());
        return answer!;
    }
}
