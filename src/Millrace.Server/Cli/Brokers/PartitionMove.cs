using Confluent.Kafka;
using Millrace.Protocol;
using ErrorCode = Confluent.Kafka.ErrorCode;

namespace Millrace.Server.Cli.Brokers;

/// <summary>
/// Partitions of a topic that another broker is to lead: it becomes their preferred replica, and they elect that. By Kafka's own messages, which the client
/// library has not, over a connection to any broker.
/// </summary>
/// <param name="topic">The topic.</param>
/// <param name="to">The broker.</param>
internal sealed class PartitionMove(string topic, int to)
{
    /// <summary>The replicas that a partition has then: as many as before, the broker first.</summary>
    public static IReadOnlyList<int> ReplicasWith(int first, IReadOnlyList<int> replicas) =>
        [first, .. replicas.Where(replica => replica != first).Take(Math.Max(0, replicas.Count - 1))];

    /// <summary>Ends the moves of partitions: who leads them goes on, and their replicas stay as they are.</summary>
    /// <param name="config">How the command's clients connect.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="partitions">Those that are not to move.</param>
    /// <param name="limit">For all of it.</param>
    /// <param name="token">Ends the wait.</param>
    /// <returns>What became of each: null where its move has ended by this, <see cref="ErrorCode.NoReassignmentInProgress"/> where there was none.</returns>
    /// <exception cref="KafkaException">Nobody answers in time, or the whole is refused.</exception>
    /// <exception cref="CommandFailedException">No broker takes these requests.</exception>
    public static async Task<IReadOnlyDictionary<int, Error?>> CancelAsync(
        ClientConfig config, string topic, IEnumerable<int> partitions, TimeSpan limit, CancellationToken token) =>
        await AssignAsync(config, topic, partitions.Select(partition => (partition, (IReadOnlyList<int>?)null)), limit, token);

    /// <param name="config">How the command's clients connect.</param>
    /// <param name="partitions">By number, with the replicas that they have.</param>
    /// <param name="limit">For all of it.</param>
    /// <param name="token">Ends the wait; what has begun goes on.</param>
    /// <returns>What became of each: null where the broker leads it now.</returns>
    /// <exception cref="KafkaException">Nobody answers in time, or the whole is refused.</exception>
    /// <exception cref="CommandFailedException">No broker takes these requests.</exception>
    public async Task<IReadOnlyDictionary<int, Error?>> RunAsync(
        ClientConfig config, IReadOnlyDictionary<int, IReadOnlyList<int>> partitions, TimeSpan limit, CancellationToken token)
    {
        var began = CommandClock.Time.GetTimestamp();
        var outcomes = await AssignAsync(
            config, topic, partitions.Select(partition => (partition.Key, (IReadOnlyList<int>?)ReplicasWith(to, partition.Value))), limit, token);
        int[] elected = [.. outcomes.Where(outcome => outcome.Value is null).Select(outcome => outcome.Key)];
        if (elected.Length > 0)
        {
            var left = limit - CommandClock.Time.GetElapsedTime(began);
            var answer = await ElectAsync(config, elected, left > TimeSpan.Zero ? left : TimeSpan.Zero, token);
            RequireTaken(answer.ErrorCode, null);
            foreach (var partition in answer.ReplicaElectionResults.SelectMany(result => result.PartitionResult))
            {
                // Not needed: it led them before.
                outcomes[partition.PartitionId] = partition.ErrorCode == (short)ErrorCode.ElectionNotNeeded
                    ? null
                    : ErrorOf(partition.ErrorCode, partition.ErrorMessage);
            }
        }

        return outcomes;
    }

    /// <param name="replicas">By partition; null to end its move.</param>
    private static async Task<SortedDictionary<int, Error?>> AssignAsync(
        ClientConfig config, string topic, IEnumerable<(int Partition, IReadOnlyList<int>? Replicas)> replicas, TimeSpan limit, CancellationToken token)
    {
        var request = new AlterPartitionReassignmentsRequest
        {
            TimeoutMs = (int)limit.TotalMilliseconds,
            Topics =
            [
                new()
                {
                    Name = topic,
                    Partitions =
                    [
                        .. replicas.Select(one => new AlterPartitionReassignmentsRequest.ReassignablePartition
                        {
                            PartitionIndex = one.Partition, Replicas = one.Replicas,
                        }),
                    ],
                },
            ],
        };
        var answer = await AskAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(config, request, limit, token);
        RequireTaken(answer.ErrorCode, answer.ErrorMessage);
        return new(answer.Responses.SelectMany(response => response.Partitions).ToDictionary(
            partition => partition.PartitionIndex, partition => ErrorOf(partition.ErrorCode, partition.ErrorMessage)));
    }

    private Task<ElectLeadersResponse> ElectAsync(ClientConfig config, int[] partitions, TimeSpan limit, CancellationToken token)
    {
        // The broker is to answer before its client has lost its patience.
        var request = new ElectLeadersRequest
        {
            TimeoutMs = (int)(limit * 0.8).TotalMilliseconds, TopicPartitions = [new() { Topic = topic, Partitions = partitions }],
        };
        return AskAsync<ElectLeadersRequest, ElectLeadersResponse>(config, request, limit, token);
    }

    private static async Task<TResponse> AskAsync<TRequest, TResponse>(ClientConfig config, TRequest request, TimeSpan limit, CancellationToken token)
        where TRequest : class, Protocol.Messages.IRequest<TRequest>
        where TResponse : class, Protocol.Messages.IResponse<TResponse> =>
        await DirectQuestion.AskAsync<TRequest, TResponse>(config, request, limit, token)
        ?? throw new CommandFailedException(
            ExitCode.Failed, "No broker takes the request, or connections are encrypted: by those it cannot be asked.");

    private static void RequireTaken(short code, string? message)
    {
        if (ErrorOf(code, message) is { } error)
        {
            throw new KafkaException(error);
        }
    }

    private static Error? ErrorOf(short code, string? message) =>
        code == 0 ? null : message is null ? new Error((ErrorCode)code) : new Error((ErrorCode)code, message);
}
