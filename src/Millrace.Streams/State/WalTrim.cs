using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Streams.Wal;

namespace Millrace.Streams.State;

/// <summary>
/// Gives up what the WAL need not keep: everything below the oldest record that no committed object holds, in whatever order the uploads of
/// different streams were committed.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="wal">What is trimmed.</param>
/// <param name="open">The open streams, at this moment.</param>
/// <param name="lost">Those that were lost, at this moment, and whose records count.</param>
/// <param name="logger">Hears of failures.</param>
internal sealed class WalTrim(IWriteAheadLog wal, Func<IEnumerable<StreamCore>> open, Func<IEnumerable<StreamCore>> lost, ILogger logger)
{
    private readonly Lock _lock = new();

    // The highest place in the WAL of a record that was committed or given up.
    private long _settledPosition = -1;

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

        position = Math.Min(position, OldestNeeded(open()));
        // After the open ones: one that was lost meanwhile has come in here before it left them.
        position = Math.Min(position, OldestNeeded(lost()));
        try
        {
            await wal.TrimAsync(position, token);
        }
        catch (Exception failure) when (failure is not (InvariantViolationException or OperationCanceledException))
        {
            StreamsMessages.TrimFailed(logger, failure);
        }
    }

    private static long OldestNeeded(IEnumerable<StreamCore> streams)
    {
        var oldest = long.MaxValue;
        foreach (var stream in streams)
        {
            oldest = Math.Min(oldest, stream.OldestNeededPosition ?? long.MaxValue);
        }

        return oldest;
    }
}
