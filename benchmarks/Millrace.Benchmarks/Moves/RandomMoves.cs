using System.Collections.Concurrent;
using Confluent.Kafka;
using Millrace.Benchmarks.Failover;
using Millrace.Server.Cli;

namespace Millrace.Benchmarks.Moves;

/// <summary>
/// Partitions that go round all the time, whatever else befalls the cluster: some of a topic at once, to a broker that chance names, which may be away; and
/// others at the same time, which may meet.
/// </summary>
/// <remarks>Threading: several loops of its own.</remarks>
internal sealed class RandomMoves : IDisposable
{
    private const int Loops = 3;
    private const int OneOf = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly ClusterUnderTest _cluster;
    private readonly string[] _topics;
    private readonly ConcurrentDictionary<string, int> _outcomes = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task[] _loops;

    public RandomMoves(ClusterUnderTest cluster, IEnumerable<string> topics)
    {
        (_cluster, _topics) = (cluster, [.. topics]);
        _loops = [.. Enumerable.Range(0, Loops).Select(seed => Task.Run(() => MoveAsync(new Random(seed))))];
    }

    /// <summary>Moves nothing more; returns when nothing is waited for.</summary>
    /// <returns>How many partitions have moved, and what became of the others, for people.</returns>
    /// <exception cref="InvalidOperationException">Nothing has moved.</exception>
    public string Stop()
    {
        _stopping.Cancel();
        Task.WaitAll(_loops);
        var moved = _outcomes.GetValueOrDefault("");
        var others = _outcomes.Where(outcome => outcome.Key.Length > 0).OrderByDescending(outcome => outcome.Value);
        return moved == 0
            ? throw new InvalidOperationException($"No partition has moved: {string.Join(", ", others)}")
            : $"{moved} moves came to their end; {string.Join(", ", others.Select(outcome => $"{outcome.Value} {outcome.Key}"))}";
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task MoveAsync(Random random)
    {
        while (!_stopping.IsCancellationRequested)
        {
            var topic = _topics[random.Next(_topics.Length)];
            try
            {
                foreach (var (_, error) in await _cluster.TryMoveAsync(topic, _ => random.Next(OneOf) == 0, random.Next(_cluster.Count), Patience))
                {
                    Count(error is null ? "" : $"{error.Code}");
                }
            }
            catch (KafkaException unanswered)
            {
                // Whoever was asked is away, as it is meant to be.
                Count($"{unanswered.Error.Code}");
            }
            catch (CommandFailedException)
            {
                Count("asked of nobody");
            }

            await Task.Delay(Pause);
        }
    }

    private void Count(string outcome) => _outcomes.AddOrUpdate(outcome, 1, (_, count) => count + 1);
}
