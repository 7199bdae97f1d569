using System.Runtime.CompilerServices;
using Millrace.Coordination.Shards;
using Millrace.Simulation.Kernel;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>A log that takes its time, now and then fails an append, and does not say whether the records are there.</summary>
internal sealed class UnreliableLog(SimulationKernel kernel) : IPartitionWriter, IPartitionLoader
{
    private Task<long> _last = Task.FromResult(0L);

    public int MaxBatchBytes => 500;

    public bool IsBusy => kernel.Random.Chance(0.1);

    /// <summary>All there ever were.</summary>
    public List<EncodedRecord> Records { get; } = [];

    /// <summary>The offset of the first record that can be read.</summary>
    public long Start { get; private set; }

    public int Failures { get; private set; }

    public int LandedAllTheSame { get; private set; }

    public int Reads { get; private set; }

    public ValueTask<long> AppendAsync(IReadOnlyList<EncodedRecord> records, long timestamp)
    {
        var copy = records.Select(record => record.Copy()).ToArray();
        _last = LandAsync(_last, copy);
        return new ValueTask<long>(_last);
    }

    public async ValueTask TrimAsync(long offset, CancellationToken token)
    {
        await kernel.Delay(kernel.Random.Latency(TimeSpan.FromMilliseconds(2)), token);
        if (kernel.Random.Chance(0.2))
        {
            throw new CoordinatorException(CoordinatorError.Unavailable);
        }

        Start = offset;
    }

    public async IAsyncEnumerable<LoadedRecords> ReadAsync(long offset, [EnumeratorCancellation] CancellationToken token)
    {
        Reads++;
        var next = Math.Max(offset, Start);
        foreach (var record in Records.Skip((int)next).ToList())
        {
            await kernel.Delay(TimeSpan.FromMicroseconds(10), token);
            if (kernel.Random.Chance(0.002))
            {
                throw new CoordinatorException(CoordinatorError.Unavailable);
            }

            yield return new LoadedRecords([record], next, ++next);
        }
    }

    private async Task<long> LandAsync(Task<long> before, EncodedRecord[] records)
    {
        var isBroken = false;
        try
        {
            await before;
        }
        catch (CoordinatorException)
        {
            // Only those that were called before anybody knew go down with it.
            isBroken = true;
        }

        await kernel.Delay(kernel.Random.Latency(TimeSpan.FromMilliseconds(2)));
        var fails = isBroken ? kernel.Random.Chance(0.5) : kernel.Random.Chance(0.04);
        var offset = (long)Records.Count;
        if (!fails || kernel.Random.Chance(0.5))
        {
            Records.AddRange(records);
            LandedAllTheSame += fails ? 1 : 0;
        }

        Failures += fails ? 1 : 0;
        return fails ? throw new CoordinatorException(CoordinatorError.Unavailable) : offset;
    }
}
