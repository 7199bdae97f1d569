using Millrace.Coordination.Shards;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>A log whose appends stay open until the test ends them, one way or the other.</summary>
internal sealed class ScriptedLog : IPartitionWriter, IPartitionLoader
{
    private readonly List<(EncodedRecord[] Records, TaskCompletionSource<long> Done)> _open = [];

    public int MaxBatchBytes { get; init; } = 100_000;

    /// <summary>What is there, by batch.</summary>
    public List<EncodedRecord[]> Batches { get; } = [];

    /// <summary>The offset of the first record that is left.</summary>
    public long Start { get; private set; }

    /// <summary>Trimming fails as long as this is set.</summary>
    public CoordinatorError? TrimError { get; set; }

    public int Open => _open.Count;

    /// <summary>How many records the open appends have, each.</summary>
    public IEnumerable<int> OpenSizes => _open.Select(append => append.Records.Length);

    public bool IsBusy { get; set; }

    /// <summary>Appends complete at once.</summary>
    public bool IsFast { get; set; } = true;

    /// <summary>How often it has been read.</summary>
    public int Reads { get; private set; }

    /// <summary>How many records were read in all.</summary>
    public int RecordsRead { get; private set; }

    /// <summary>Reading fails as long as this is set.</summary>
    public CoordinatorError? ReadError { get; set; }

    /// <summary>So many readings fail for lack of memory.</summary>
    public int Shortages { get; set; }

    public ValueTask<long> AppendAsync(IReadOnlyList<EncodedRecord> records, long timestamp)
    {
        var copy = records.Select(record => record.Copy()).ToArray();
        if (IsFast)
        {
            return ValueTask.FromResult(Land(copy));
        }

        var done = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        _open.Add((copy, done));
        return new ValueTask<long>(done.Task);
    }

    /// <summary>The oldest open append is durable.</summary>
    public void Complete()
    {
        var (records, done) = _open[0];
        _open.RemoveAt(0);
        done.SetResult(Land(records));
    }

    /// <summary>The oldest open append fails; its records are lost, or there all the same.</summary>
    public void Fail(CoordinatorError error, bool landed = false)
    {
        var (records, done) = _open[0];
        _open.RemoveAt(0);
        if (landed)
        {
            Land(records);
        }

        done.SetException(new CoordinatorException(error));
    }

    public ValueTask TrimAsync(long offset, CancellationToken token)
    {
        if (TrimError is { } error)
        {
            return ValueTask.FromException(new CoordinatorException(error));
        }

        // Where a batch begins.
        while (Start < offset)
        {
            Start += Batches[0].Length;
            Batches.RemoveAt(0);
        }

        return default;
    }

    public async IAsyncEnumerable<LoadedRecords> ReadAsync(
        long offset, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
    {
        Reads++;
        if (ReadError is { } error)
        {
            throw new CoordinatorException(error);
        }

        if (Shortages-- > 0)
        {
            throw new InsufficientMemoryException("none, says the test");
        }

        var end = Start;
        foreach (var batch in Batches.ToList())
        {
            await Task.Yield();
            token.ThrowIfCancellationRequested();
            end += batch.Length;
            if (end > offset)
            {
                RecordsRead += batch.Length;
                yield return new LoadedRecords(batch, end - batch.Length, end);
            }
        }
    }

    private long Land(EncodedRecord[] records)
    {
        var offset = Start + Batches.Sum(batch => batch.Length);
        Batches.Add(records);
        return offset;
    }
}
