using Microsoft.Extensions.Logging;
using Millrace.Controller.Clients;
using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Failover;

/// <summary>Brings one share of one WAL: seals it, reads it, has the share committed, and leads what it is of.</summary>
/// <param name="runtime">Of the incarnation that recovers.</param>
/// <param name="nodes">Forgets the WAL when the last share is complete.</param>
/// <param name="self">The incarnation that recovers.</param>
/// <param name="failover">Commits what the WAL holds.</param>
/// <param name="metrics">Takes down how long it all took.</param>
/// <param name="takeovers">Take WALs over, by their kind; null for one that ends with its process, and takes none.</param>
public sealed class ShareTakeover(
    NodeRuntime runtime, NodeRegistry nodes, NodeIncarnation self, ShareRecoverer failover, RecoveryMetrics metrics,
    Func<WalKind, IWalTakeover?> takeovers)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ShareTakeover>();

    /// <summary>What is this node's to bring, as of an image that is not older than its own.</summary>
    public Task<IReadOnlyList<WalShare>> GetSharesAsync(CancellationToken token) => failover.GetSharesAsync(token);

    /// <param name="wal">The WAL.</param>
    /// <param name="share">This node's part of it. It may be empty: then the WAL is only read, which shows whether it is whole.</param>
    /// <param name="token">Ends it; what was committed stays so.</param>
    /// <exception cref="Millrace.Streams.StreamException">Fenced: the one that recovers is not wanted any more. Corrupt: records are missing.</exception>
    /// <exception cref="WalUnavailableException">The WAL cannot be had, or not now.</exception>
    public async Task RecoverAsync(WalDescriptor wal, WalShare share, CancellationToken token)
    {
        FailoverMessages.Recovering(_logger, wal.Id, wal.Location, share.Ranges.Count);
        var began = runtime.Time.GetTimestamp();
        await using var recovery = await TakerOf(wal).TakeOverAsync(wal, token);
        var sealing = runtime.Time.GetElapsedTime(began);
        var result = await failover.RecoverAsync(recovery, share, token);
        Report(wal, share, sealing, result);
        if (result.IsGivenBack)
        {
            await nodes.ForgetWalsAsync(self, [wal.Id], token);
        }
    }

    /// <summary>Has all that waits for a WAL planned to this node, if it is at hand here.</summary>
    /// <returns>Why it is not; null if it is.</returns>
    public async Task<string?> TryClaimAsync(WalDescriptor wal, CancellationToken token)
    {
        try
        {
            await using (await TakerOf(wal).TakeOverAsync(wal, token))
            {
                // Fenced, and let go again: it is read when its share is known.
            }
        }
        catch (WalUnavailableException elsewhere)
        {
            return elsewhere.Message;
        }

        await nodes.ClaimWalAsync(self, wal.Id, token);
        return null;
    }

    private IWalTakeover TakerOf(WalDescriptor wal) =>
        takeovers(wal.Kind) ?? throw new WalUnavailableException(wal, $"a WAL of kind {wal.Kind} ends with its process.");

    // The one place that knows of every share that was recovered, and of what took how long.
    private void Report(WalDescriptor wal, WalShare share, TimeSpan sealing, RecoveredShare result)
    {
        metrics.Recovered(sealing, result.Times);
        FailoverMessages.Recovered(
            _logger,
            share.Ranges.Count,
            wal.Node,
            wal.Epoch,
            wal.Id,
            result.Records,
            result.Bytes,
            Milliseconds(sealing),
            Milliseconds(result.Times.Reading),
            Milliseconds(result.Times.Committing),
            Milliseconds(result.Times.Completing));
    }

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
