using Confluent.Kafka;
using Millrace.Server.Cli;
using Millrace.Server.Cli.Brokers;

namespace Millrace.Benchmarks.Moves;

/// <summary>Has one broker lead partitions, as <c>millrace partition move</c> does, of any cluster that speaks Kafka's protocol.</summary>
internal static class LeaderChange
{
    /// <summary>Some of a topic; waits until it does.</summary>
    /// <returns>What became of each: null where the broker leads it now.</returns>
    /// <exception cref="KafkaException">Nobody answers in time.</exception>
    /// <exception cref="CommandFailedException">No broker is there to ask.</exception>
    public static Task<IReadOnlyDictionary<int, Error?>> TryAsync(
        IAdminClient admin, ClientConfig client, string topic, Func<int, bool> areMeant, int node, TimeSpan limit)
    {
        var partitions = admin.GetMetadata(topic, limit).Topics[0].Partitions.Where(partition => areMeant(partition.PartitionId));
        return new PartitionMove(topic, node).RunAsync(
            client,
            partitions.ToDictionary(partition => partition.PartitionId, partition => (IReadOnlyList<int>)partition.Replicas),
            limit,
            CancellationToken.None);
    }

    /// <summary>All of a topic; waits until it does.</summary>
    /// <exception cref="InvalidOperationException">One of them has not moved.</exception>
    public static async Task RequireAsync(IAdminClient admin, ClientConfig client, string topic, int node, TimeSpan limit)
    {
        foreach (var (partition, error) in await TryAsync(admin, client, topic, _ => true, node, limit))
        {
            if (error is not null)
            {
                throw new InvalidOperationException($"{topic}-{partition} has not moved to broker {node}: {error}");
            }
        }
    }
}
