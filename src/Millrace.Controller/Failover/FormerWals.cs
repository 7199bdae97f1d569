using Microsoft.Extensions.Logging;
using Millrace.Controller.Clients;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Failover;

/// <summary>
/// The WALs that former incarnations left. Those that wait are taken over, and what is missing of them is committed. Those that nothing is needed of,
/// recovered or left clean by processes that died before they gave their space back, are retired, and give it back.
/// </summary>
/// <param name="runtime">Of the incarnation that comes after them.</param>
/// <param name="nodes">Knows of them, and forgets them.</param>
/// <param name="self">The incarnation that comes after them.</param>
/// <param name="own">Makes this incarnation's WAL, perhaps where others lie.</param>
/// <param name="takeovers">Take over WALs, and give their space back, by their kind; null for one that ends with its process, and takes none.</param>
public sealed class FormerWals(
    NodeRuntime runtime, NodeRegistry nodes, NodeIncarnation self, IWalProvider own, Func<WalKind, IWalTakeover?> takeovers)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<FormerWals>();

    /// <summary>
    /// Recovers this node's shares of some, one by one, before it serves. What waits for those that are not at hand has no leader: it is not served, because
    /// it is not known to be complete.
    /// </summary>
    /// <param name="wals">Those that wait.</param>
    /// <param name="recovery">Brings a share.</param>
    /// <param name="losses">What the operator gives up where one cannot be recovered.</param>
    /// <param name="triesAgain">
    /// The caller can try again by itself: so a medium that refuses, which may pass, ends the recovery, instead of leaving streams without a leader until
    /// somebody starts the process anew.
    /// </param>
    /// <param name="token">Ends it; what was committed stays so.</param>
    /// <exception cref="StreamException">Fenced: the one that recovers is itself not wanted any more.</exception>
    /// <exception cref="WalUnavailableException">The medium of one refuses, and the caller tries again.</exception>
    public async Task RecoverAsync(
        IReadOnlyList<WaitingWal> wals, ShareRecovery recovery, AcceptedLosses losses, bool triesAgain, CancellationToken token)
    {
        if (wals.Count == 0)
        {
            return;
        }

        var shares = await recovery.GetSharesAsync(token);
        foreach (var wal in wals.Select(waiting => waiting.Wal))
        {
            // Where something is to be given up, the whole WAL is read, whoever's its shares are: what can be recovered is no loss.
            var share = shares.FirstOrDefault(share => share.WalId == wal.Id);
            if (share is null && losses.IsEmpty)
            {
                continue;
            }

            try
            {
                await recovery.RecoverAsync(wal, share ?? new WalShare(wal.Id, []), token);
                if (!losses.IsEmpty)
                {
                    await losses.GiveUpOrWaitAsync(wal.Id, stream => stream.IsDamaged, "records that only it had are missing.", "Give", token);
                }
            }
            catch (WalUnavailableException missing) when (!triesAgain || !missing.MayPass)
            {
                await losses.GiveUpOrWaitAsync(
                    wal.Id, _ => true, missing.Message, $"Bring the WAL back ({wal.Location}) and start again; or give", token);
            }
            catch (StreamException damaged) when (damaged.Error == StreamError.Corrupt)
            {
                // The whole streams are complete by now; only the damaged ones still wait.
                await losses.GiveUpOrWaitAsync(wal.Id, stream => stream.IsDamaged, damaged.Message, "Give", token);
            }
        }
    }

    /// <summary>
    /// Gives back the space of those whose room the new one may need, before it is made: there may be room for one only. The metadata forgets them later
    /// (<see cref="GiveBackAsync"/>).
    /// </summary>
    public async Task MakeRoomAsync(CancellationToken token)
    {
        foreach (var wal in (await nodes.GetRetiredWalsAsync(token)).Where(own.SharesRoomWith))
        {
            await TryDiscardAsync(wal, token);
        }
    }

    /// <summary>
    /// Gives back all the rest, and names files that the metadata does not know. Nothing waits for that: done while the node serves, since each
    /// start that is cut short leaves one more.
    /// </summary>
    /// <param name="metadata">Tells known WALs from others.</param>
    /// <param name="token">Ends it; the next start goes on.</param>
    public async Task GiveBackAsync(IMetadataFeed metadata, CancellationToken token)
    {
        try
        {
            foreach (var wal in await nodes.GetRetiredWalsAsync(token))
            {
                if (await TryDiscardAsync(wal, token))
                {
                    // One by one: what is done stays done if the node ends meanwhile.
                    await nodes.ForgetWalsAsync(self, [wal.Id], token);
                }
            }

            await ReportOthersAsync(metadata, token);
        }
        catch (Exception ended) when (ended is ObjectLogException or StreamException)
        {
            // The controller takes no more requests: the incarnation is stopping, or is about to say why it cannot go on.
            FailoverMessages.NotGivenBack(_logger, ended.Message);
        }
    }

    /// <returns>Whether it takes no space any more.</returns>
    private async Task<bool> TryDiscardAsync(WalDescriptor wal, CancellationToken token)
    {
        try
        {
            if (takeovers(wal.Kind) is not { } takeover || await takeover.DiscardAsync(wal, token))
            {
                return true;
            }

            FailoverMessages.WalNotDiscarded(_logger, wal.Id, $"A living process holds {wal.Location}.");
        }
        catch (Exception failure) when (failure is WalUnavailableException or ObjectStorageException)
        {
            FailoverMessages.WalNotDiscarded(_logger, wal.Id, failure.Message);
        }

        return false;
    }

    private async Task ReportOthersAsync(IMetadataFeed metadata, CancellationToken token)
    {
        try
        {
            foreach (var path in await own.FindOthersAsync(metadata.Image.Wals.Keys.ToHashSet(), token))
            {
                FailoverMessages.UnknownWal(_logger, path);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            FailoverMessages.WalsNotListed(_logger, failure.Message);
        }
    }
}
