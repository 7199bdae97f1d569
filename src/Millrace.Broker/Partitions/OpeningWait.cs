using Millrace.Runtime;

namespace Millrace.Broker.Partitions;

/// <summary>How a request waits while partitions that it needs are being opened.</summary>
internal sealed class OpeningWait(NodeRuntime runtime, PartitionTable table)
{
    // Opening takes milliseconds, unless the store does not answer. Then the client had better hear of it and come again.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Waits until each partition is open, or never will be, or the time is up: what they say then is the answer.</summary>
    /// <param name="asked">Topics and partitions as a request names them, those that are not here among them.</param>
    /// <param name="token">Ends the wait.</param>
    public ValueTask WaitAsync(IEnumerable<(string Topic, int Partition)> asked, CancellationToken token) =>
        WaitAsync(asked.Select(one => table.Find(one.Topic, one.Partition).Partition), Patience, token);

    public async ValueTask WaitAsync(IEnumerable<Partition?> partitions, TimeSpan patience, CancellationToken token)
    {
        List<Partition>? unopened = null;
        foreach (var partition in partitions)
        {
            if (partition is { Phase: PartitionPhase.Waiting or PartitionPhase.Opening })
            {
                (unopened ??= []).Add(partition);
            }
        }

        if (unopened is null)
        {
            return;
        }

        using var limit = new CancellationTokenSource(patience, runtime.Time);
        using var abandoned = token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), limit);

        // All at once: each call begins the opening if nobody has.
        var waits = unopened.ConvertAll(partition => partition.WhenOpenAsync(limit.Token).AsTask());
        try
        {
            await Task.WhenAll(waits);
        }
        catch (OperationCanceledException)
        {
            token.ThrowIfCancellationRequested();
        }
    }
}
