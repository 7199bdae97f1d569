using Millrace.Runtime;
using Millrace.Streams.Wal;

namespace Millrace.Streams;

/// <summary>Gives up what the WAL need not keep: everything below the oldest record that no committed object holds.</summary>
/// <remarks>Threading: any thread. Its lock is taken inside the store's.</remarks>
/// <param name="store">Whose streams these are.</param>
/// <param name="retry">For the questions to the registry.</param>
internal sealed class WalTrim(StreamStore store, Retry retry)
{
    private readonly Lock _lock = new();

    // The highest place in the WAL of a record that was committed or given up.
    private long _settledPosition = -1;

    // Lost streams whose records the WAL has to keep.
    private readonly List<Stream> _pinning = [];

    private IWriteAheadLog Wal => store.Components.Wal;

    /// <summary>Keeps what the WAL holds of a lost stream. To be called before the store forgets the stream.</summary>
    public void Pin(Stream stream)
    {
        lock (_lock)
        {
            _pinning.Add(stream);
        }
    }

    /// <param name="settledPosition">The place of a record that was committed or given up; what was appended since may lie above it.</param>
    /// <param name="token">Ends the wait.</param>
    public async Task TrimAsync(long settledPosition, CancellationToken token)
    {
        long position;
        lock (_lock)
        {
            _settledPosition = Math.Max(_settledPosition, settledPosition);
            position = _settledPosition + 1;
        }

        foreach (var stream in store.Streams)
        {
            position = Math.Min(position, stream.OldestNeededPosition ?? long.MaxValue);
        }

        // After the streams: one that was lost meanwhile has come in here when it left the list.
        foreach (var stream in Pinning())
        {
            position = Math.Min(position, stream.OldestNeededPosition ?? long.MaxValue);
        }

        try
        {
            await Wal.TrimAsync(position, token);
        }
        catch (Exception failure) when (failure is not (InvariantViolationException or OperationCanceledException))
        {
            Log.TrimFailed(store.Logger, failure);
        }
    }

    /// <summary>
    /// Lets the WAL go of a stream that was lost alone, once it is certain that nothing in it will ever be uploaded: neither by this node, which
    /// has given the stream up, nor by a recovery, which asks the registry the same.
    /// </summary>
    public async Task SettleAsync(Stream stream, CancellationToken token)
    {
        try
        {
            if (!await IsSettledAsync(stream, token))
            {
                return;
            }
        }
        catch (StreamException)
        {
            // This incarnation is fenced. The WAL stays as it is, for the recovery.
            return;
        }

        lock (_lock)
        {
            _pinning.Remove(stream);
        }

        Log.LostSettled(store.Logger, stream.Id);
        await TrimAsync(stream.LastPosition, token);
    }

    private async Task<bool> IsSettledAsync(Stream stream, CancellationToken token)
    {
        var (id, epoch) = (stream.Id, stream.Epoch);
        var registry = store.Components.Registry;
        var end = await retry.UntilDoneAsync(
            "Asking what a lost stream still needs", cancel => registry.GetRecoverableEndAsync(Wal.Descriptor.Id, id, epoch, cancel), token);

        // Null: its range is closed, or gone, and what the WAL holds of it counts for nothing. All committed: it is not needed.
        if (end is null || end >= stream.NextOffset)
        {
            return true;
        }

        if (end >= stream.UploadedOffset)
        {
            // The WAL holds what is missing: the recovery after this incarnation's end brings it.
            return false;
        }

        // What is missing has left the WAL as uploaded, and what follows a gap is never committed. But without its records there a
        // recovery would not see the gap, and take the stream for whole: so that is said first, for good.
        await retry.UntilDoneAsync(
            "Reporting a damaged stream",
            async cancel =>
            {
                await registry.ReportDamageAsync(store.Components.Node, walId: null, id, epoch, cancel);
                return true;
            },
            token);
        return true;
    }

    private Stream[] Pinning()
    {
        lock (_lock)
        {
            return [.. _pinning];
        }
    }
}
