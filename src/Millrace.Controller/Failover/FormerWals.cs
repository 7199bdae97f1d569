using Microsoft.Extensions.Logging;
using Millrace.Controller.Clients;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Failover;

/// <summary>
/// The WALs of former incarnations that nothing is needed of, since they were recovered, or left clean by processes that died before they gave their space
/// back: they are retired, and give it back.
/// </summary>
/// <param name="runtime">Of the incarnation that comes after them.</param>
/// <param name="nodes">Knows of them, and forgets them.</param>
/// <param name="self">The incarnation that comes after them.</param>
/// <param name="own">Make this incarnation's WALs, perhaps where others lie.</param>
/// <param name="takeovers">Give the space of WALs back, by their kind; null for one that ends with its process, and takes none.</param>
public sealed class FormerWals(
    NodeRuntime runtime, NodeRegistry nodes, NodeIncarnation self, IReadOnlyList<IWalProvider> own, Func<WalKind, IWalTakeover?> takeovers)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<FormerWals>();

    /// <summary>
    /// Gives back the space of those whose room the new one may need, before it is made: there may be room for one only. The metadata forgets them later
    /// (<see cref="GiveBackAsync"/>).
    /// </summary>
    public async Task MakeRoomAsync(CancellationToken token)
    {
        foreach (var wal in (await nodes.GetRetiredWalsAsync(token)).Where(wal => own.Any(provider => provider.SharesRoomWith(wal))))
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
            // This incarnation is fenced, or too much waits at the controller.
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
            foreach (var provider in own)
            {
                foreach (var path in await provider.FindOthersAsync(metadata.Image.Wals.Keys.ToHashSet(), token))
                {
                    FailoverMessages.UnknownWal(_logger, path);
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            FailoverMessages.WalsNotListed(_logger, failure.Message);
        }
    }
}
