using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Streams.Wal;

namespace Millrace.Streams.State;

/// <summary>
/// Gives up what WALs need not keep: of each everything below the oldest record that no committed object holds, in whatever order the uploads of
/// different streams were committed.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="open">The open streams, at this moment.</param>
/// <param name="lost">Those that were lost, at this moment, and whose records count.</param>
/// <param name="logger">Hears of failures.</param>
internal sealed class WalTrim(Func<IEnumerable<StreamCore>> open, Func<IEnumerable<StreamCore>> lost, ILogger logger)
{
    private readonly Lock _lock = new();

    // By WAL, the highest place in it of a record that was committed or given up.
    private readonly Dictionary<IWriteAheadLog, long> _settled = [];

    /// <param name="wal">What is trimmed.</param>
    /// <param name="settledPosition">The place of a record that was committed or given up; what was appended since may lie above it.</param>
    /// <param name="token">Ends the wait.</param>
    public async Task TrimAsync(IWriteAheadLog wal, long settledPosition, CancellationToken token)
    {
        long position;
        lock (_lock)
        {
            _settled[wal] = Math.Max(_settled.GetValueOrDefault(wal, -1), settledPosition);
            position = _settled[wal] + 1;
        }

        position = Math.Min(position, OldestNeeded(wal, open()));
        // After the open ones: one that was lost meanwhile has come in here before it left them.
        position = Math.Min(position, OldestNeeded(wal, lost()));
        try
        {
            await wal.TrimAsync(position, token);
        }
        catch (Exception failure) when (failure is not (InvariantViolationException or OperationCanceledException))
        {
            StreamsMessages.TrimFailed(logger, wal.Descriptor.Location, failure);
        }
    }

    private static long OldestNeeded(IWriteAheadLog wal, IEnumerable<StreamCore> streams)
    {
        var oldest = long.MaxValue;
        foreach (var stream in streams.Where(stream => stream.Wal == wal))
        {
            oldest = Math.Min(oldest, stream.OldestNeededPosition ?? long.MaxValue);
        }

        return oldest;
    }
}
