using Microsoft.Extensions.Logging;
using Millrace.Streams.Registry;
using Millrace.Streams.State;

namespace Millrace.Streams.Store;

/// <summary>
/// Streams that were lost with records which no object holds: their WALs keep them as long as anybody could upload them, which the registry knows.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="registry">Knows what a recovery would ask for.</param>
/// <param name="logger">Hears when they are given up.</param>
internal sealed class LostStreams(RegistryCalls registry, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly List<StreamCore> _pinning = [];

    /// <summary>Those whose records the WAL has to keep.</summary>
    public IReadOnlyList<StreamCore> Pinning
    {
        get
        {
            lock (_lock)
            {
                return [.. _pinning];
            }
        }
    }

    /// <summary>
    /// Keeps what the WAL holds of a lost stream. To be called before it leaves the open ones, so that whoever looks there first and here
    /// then meets it.
    /// </summary>
    /// <returns>False if the WAL holds nothing of it that counts.</returns>
    public bool Pin(StreamCore stream)
    {
        if (stream.OldestNeededPosition is null)
        {
            return false;
        }

        lock (_lock)
        {
            _pinning.Add(stream);
        }

        return true;
    }

    /// <summary>
    /// Gives up a stream that was lost alone, once it is certain that nothing in the WAL will ever be uploaded: neither by this node, which
    /// has given the stream up, nor by a recovery, which asks the registry the same.
    /// </summary>
    /// <returns>False if the WAL has to keep it.</returns>
    public async Task<bool> SettleAsync(StreamCore stream, CancellationToken token)
    {
        try
        {
            if (!await IsSettledAsync(stream, token))
            {
                return false;
            }
        }
        catch (StreamException)
        {
            // This incarnation is fenced. The WAL stays as it is, for the recovery.
            return false;
        }

        lock (_lock)
        {
            _pinning.Remove(stream);
        }

        StreamsMessages.LostSettled(logger, stream.Id);
        return true;
    }

    private async Task<bool> IsSettledAsync(StreamCore stream, CancellationToken token)
    {
        var end = await registry.GetRecoverableEndAsync(stream.Wal.Descriptor.Id, stream.Id, stream.Epoch, token);

        // Null: its range is closed, or gone, and what the WAL holds of it counts for nothing. All committed: it is not needed.
        if (end is null || end >= stream.Offsets.Next)
        {
            return true;
        }

        if (end >= stream.Offsets.Uploaded)
        {
            // The WAL holds what is missing: the recovery after this incarnation's end brings it.
            return false;
        }

        // What is missing has left the WAL as uploaded, and what follows a gap is never committed. But without its records there a
        // recovery would not see the gap, and take the stream for whole: so that is said first, for good.
        await registry.ReportDamageAsync(walId: null, stream.Id, stream.Epoch, token);
        return true;
    }
}
