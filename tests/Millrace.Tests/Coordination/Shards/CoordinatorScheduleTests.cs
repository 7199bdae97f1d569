using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Coordination.Shards;
using Millrace.Runtime;
using Millrace.Simulation.Kernel;
using Xunit;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>Random schedules of a shard over a log that fails: what was answered must be what the log says.</summary>
public sealed class CoordinatorScheduleTests
{
    private const int Clients = 6;
    private const int OperationsPerClient = 60;

    [Fact]
    public void Every_answer_is_what_the_log_says_at_that_point_whatever_fails()
    {
        int acknowledged = 0, failures = 0, landed = 0, reloads = 0, trimmed = 0;
        for (var seed = 0UL; seed < 40; seed++)
        {
            var kernel = new SimulationKernel(seed);
            var log = new UnreliableLog(kernel);
            List<(long Number, long Sum)> added = [];
            List<long> read = [];
            kernel.Run(() => RunAsync(kernel, log, added, read));

            var sums = PrefixSums(log.Records, out var sumAfter);
            Assert.All(added, answer => Assert.True(
                sumAfter.TryGetValue(answer.Number, out var sum) && sum == answer.Sum,
                $"seed {seed}: {answer.Number} was acknowledged with the sum {answer.Sum}"));
            Assert.All(read, sum => Assert.True(sums.Contains(sum), $"seed {seed}: {sum} was read"));
            acknowledged += added.Count;
            failures += log.Failures;
            landed += log.LandedAllTheSame;
            reloads += log.Reads - 1;
            trimmed += (int)log.Start;
        }

        // The schedules are worth their time.
        Assert.True(acknowledged > 4_000, $"{acknowledged} acknowledged");
        Assert.True(failures > 200 && landed > 50 && reloads > 100, $"{failures} failures, {landed} landed all the same, {reloads} reloads");
        Assert.True(trimmed > 2_000, $"{trimmed} trimmed");
    }

    private static async Task RunAsync(SimulationKernel kernel, UnreliableLog log, List<(long Number, long Sum)> added, List<long> read)
    {
        using var runtime = new NodeRuntime(kernel.World.Time, kernel.World, new SeededRandom(kernel.Seed), null!, NullLoggerFactory.Instance);
        var partition = new CoordinatorPartition<CounterShard, long>(
            runtime, "counter-0", context => new CounterShard(context), CounterShard.Codec, log, log, spareRecords: 12);
        var next = 0L;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            for (var i = 0; i < OperationsPerClient; i++)
            {
                await kernel.Delay(kernel.Random.Latency(TimeSpan.FromMilliseconds(1)));
                try
                {
                    if (kernel.Random.Chance(0.3))
                    {
                        read.Add(await partition.SubmitAsync<long>((shard, reply) => shard.Read(reply)));
                    }
                    else
                    {
                        var number = ++next;
                        added.Add((number, await partition.SubmitAsync<long>((shard, reply) => shard.Add(number, reply))));
                    }
                }
                catch (CoordinatorException)
                {
                    // Its outcome is unknown; the log says what became of it.
                    await kernel.Delay(TimeSpan.FromMilliseconds(5));
                }
            }
        }));
        Assert.False(runtime.Failed.IsCompleted);
    }

    private static HashSet<long> PrefixSums(IEnumerable<EncodedRecord> records, out Dictionary<long, long> sumAfter)
    {
        sumAfter = [];
        HashSet<long> sums = [0];
        var sum = 0L;
        foreach (var number in records.Select(record => long.Parse(Encoding.UTF8.GetString(record.Value!.Value.Span))))
        {
            if (number >= CounterShard.Whole)
            {
                // Written anew: what had failed, and did not land, may be in it; what had landed must be.
                Assert.True(number - CounterShard.Whole >= sum, $"{number - CounterShard.Whole} was written anew, and the log says {sum}");
                sum = number - CounterShard.Whole;
            }
            else
            {
                sum += number;
                sumAfter.Add(number, sum);
            }

            sums.Add(sum);
        }

        return sums;
    }
}
