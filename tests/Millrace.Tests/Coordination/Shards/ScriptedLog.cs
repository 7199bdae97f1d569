using Millrace.Coordination.Shards;

namespace Millrace.Tests.Coordination.Shards;

/// <summary>A log whose appends stay open until the test ends them, one way or the other.</summary>
internal sealed class ScriptedLog : IPartitionWriter, IPartitionLoader
{
    private readonly List<(EncodedRecord[] Records, TaskCompletionSource<long> Done)> _open = [];

    public int MaxBatchBytes { get; init; } = 100_000;

    /// <summary>What is there, by batch.</summary>
    public List<EncodedRecord[]> Batches { get; } = [];

    public int Open => _open.Count;

    /// <summary>How many records the open appends have, each.</summary>
    public IEnumerable<int> OpenSizes => _open.Select(append => append.Records.Length);

    /// <summary>Appends complete at once.</summary>
    public bool IsFast { get; set; } = true;

    /// <summary>How often it has been read.</summary>
    public int Reads { get; private set; }

    /// <summary>Reading fails as long as this is set.</summary>
    public CoordinatorError? ReadError { get; set; }

    /// <summary>So many readings fail for lack of memory.</summary>
    public int Shortages { get; set; }

    public ValueTask<long> AppendAsync(IReadOnlyList<EncodedRecord> records, long timestamp)
    {
        var copy = records.Select(record => record.Copy()).ToArray();
        if (IsFast)
        {
            Batches.Add(copy);
            return ValueTask.FromResult((long)Batches.Count);
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
        Batches.Add(records);
        done.SetResult(Batches.Count);
    }

    /// <summary>The oldest open append fails; its records are lost, or there all the same.</summary>
    public void Fail(CoordinatorError error, bool landed = false)
    {
        var (records, done) = _open[0];
        _open.RemoveAt(0);
        if (landed)
        {
            Batches.Add(records);
        }

        done.SetException(new CoordinatorException(error));
    }

    public async IAsyncEnumerable<IReadOnlyList<EncodedRecord>> ReadAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
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

        foreach (var batch in Batches.ToList())
        {
            await Task.Yield();
            token.ThrowIfCancellationRequested();
            yield return batch;
        }
    }
}
