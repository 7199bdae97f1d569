using Confluent.Kafka;
using Millrace.Protocol;
using Millrace.Server.Cli;

namespace Millrace.Benchmarks.Failover;

/// <summary>Whether a cluster has come to rest: all brokers live, each partition has one leader, and nothing is on its way.</summary>
internal static class ClusterCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits until it has.</summary>
    /// <returns>How many partitions there are.</returns>
    /// <exception cref="InvalidOperationException">It has not in time; says what is amiss.</exception>
    public static async Task<int> WaitAsync(ClusterUnderTest cluster, TimeSpan limit)
    {
        using var patience = new CancellationTokenSource(limit);
        while (true)
        {
            (int Partitions, string? Amiss) look;
            try
            {
                look = await LookAsync(cluster);
            }
            catch (Exception silent) when (silent is KafkaException or HttpRequestException or IOException)
            {
                // One that was given up may just be coming back.
                look = (0, silent.Message);
            }

            if (look.Amiss is null)
            {
                return look.Partitions;
            }

            if (patience.IsCancellationRequested)
            {
                throw new InvalidOperationException($"After {limit.TotalSeconds:F0} s the cluster is not at rest: {look.Amiss}");
            }

            await Task.Delay(Pace);
        }
    }

    private static async Task<(int Partitions, string? Amiss)> LookAsync(ClusterUnderTest cluster)
    {
        // Who leads, as each broker has it.
        var views = new List<Dictionary<(string, int), (int Leader, int Epoch)>>();
        for (var index = 0; index < cluster.Count; index++)
        {
            var metadata = await AskAsync<MetadataRequest, MetadataResponse>(cluster, index, new MetadataRequest { Topics = null });
            if (metadata.Brokers.Count != cluster.Count)
            {
                return (0, $"{ClusterUnderTest.NameOf(index)} knows {metadata.Brokers.Count} brokers");
            }

            var live = metadata.Brokers.Select(broker => broker.NodeId).ToHashSet();
            views.Add(metadata.Topics
                .SelectMany(topic => topic.Partitions.Select(partition => (Topic: topic.Name!, Partition: partition)))
                .ToDictionary(one => (one.Topic, one.Partition.PartitionIndex), one => (one.Partition.LeaderId, one.Partition.LeaderEpoch)));
            if (views[^1].Count(partition => !live.Contains(partition.Value.Leader)) is > 0 and var lost)
            {
                return (0, $"{ClusterUnderTest.NameOf(index)} has nobody for the leader of {lost} partitions, or one that does not live");
            }

            if (!views[0].ToHashSet().SetEquals(views[^1]))
            {
                return (0, $"{ClusterUnderTest.NameOf(0)} and {ClusterUnderTest.NameOf(index)} differ about leaders");
            }

            var moving = await AskAsync<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(
                cluster, index, new ListPartitionReassignmentsRequest { TimeoutMs = (int)Patience.TotalMilliseconds });
            if (moving.Topics.Count > 0)
            {
                return (0, $"{moving.Topics.Sum(topic => topic.Partitions.Count)} partitions are on their way");
            }
        }

        // Who leads, as they do it.
        var led = cluster.Metrics()
            .Where(metric => metric.Name == "millrace_partitions")
            .ToLookup(metric => metric.Label("state"), metric => (int)metric.Value);
        var total = led.Sum(state => state.Sum());
        return total != views[0].Count || led["Open"].Sum() != total
            ? (0, $"of {views[0].Count} partitions brokers lead {string.Join(", ", led.Select(state => $"{state.Sum()} {state.Key}"))}")
            : (total, null);
    }

    private static async Task<TResponse> AskAsync<TRequest, TResponse>(ClusterUnderTest cluster, int index, TRequest request)
        where TRequest : class, Protocol.Messages.IRequest<TRequest>
        where TResponse : class, Protocol.Messages.IResponse<TResponse> =>
        await DirectQuestion.AskAsync<TRequest, TResponse>(cluster.Client(index), request, Patience, CancellationToken.None)
        ?? throw new IOException($"{ClusterUnderTest.NameOf(index)} does not answer");
}
