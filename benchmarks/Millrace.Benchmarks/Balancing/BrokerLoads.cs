using System.Diagnostics;
using Millrace.Benchmarks.Failover;

namespace Millrace.Benchmarks.Balancing;

/// <summary>What brokers have had to do in the last seconds, by the bytes that they say they took and gave.</summary>
internal sealed class BrokerLoads(ClusterUnderTest cluster)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits until nobody among some brokers has more than so many times their mean.</summary>
    /// <returns>How long it took until that began to be so, from when this was called.</returns>
    /// <exception cref="TimeoutException">It is not so in time.</exception>
    public async Task<TimeSpan> WaitForEvenAsync(IReadOnlyList<int> brokers, double most, TimeSpan limit)
    {
        var began = Stopwatch.GetTimestamp();
        var looks = new Queue<(TimeSpan At, double[] Bytes)>();
        while (true)
        {
            var look = (At: Stopwatch.GetElapsedTime(began), Bytes: Bytes(brokers));
            looks.Enqueue(look);
            while (looks.Peek().At <= look.At - Window)
            {
                var first = looks.Dequeue();
                if (Excess(first.Bytes, look.Bytes) <= most)
                {
                    return first.At;
                }
            }

            if (look.At > limit)
            {
                throw new TimeoutException(FormattableString.Invariant(
                    $"After {limit.TotalSeconds:F0} s one of the brokers has {Excess(looks.Peek().Bytes, look.Bytes):F2} times the mean still"));
            }

            await Task.Delay(Pace);
        }
    }

    /// <summary>How many times the mean the busiest of some brokers has.</summary>
    public async Task<double> ExcessAsync(IReadOnlyList<int> brokers)
    {
        var before = Bytes(brokers);
        await Task.Delay(Window);
        return Excess(before, Bytes(brokers));
    }

    private static double Excess(double[] before, double[] after)
    {
        double[] done = [.. after.Zip(before, (now, then) => now - then)];
        return done.Max() / done.Average();
    }

    private double[] Bytes(IReadOnlyList<int> brokers) =>
    [
        .. brokers.Select(index => cluster.Metrics(index)
            .Where(metric => metric.Name is "millrace_bytes_in_total" or "millrace_bytes_out_total")
            .Sum(metric => metric.Value)),
    ];
}
