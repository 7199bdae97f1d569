using Millrace.Controller.Clients;
using Millrace.Controller.Nodes;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Server.Options;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;

namespace Millrace.Server.Composition;

/// <summary>
/// The WALs that former incarnations left: recovers those that are at hand, gives up what the operator names, and says of the
/// rest what waits for them. What waits has no leader: it is not served, because it is not known to be complete.
/// </summary>
internal sealed class FormerWals(
    NodeRuntime runtime, NodeOptions options, NodeComponents components, NodeRegistry nodes, IStreamRegistry registry, IMetadataFeed metadata,
    NodeIncarnation self)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<FormerWals>();
    private readonly AcceptedLosses _accepted = new(options.AcceptLoss);

    /// <exception cref="SettingsException">What is to be given up is called as nothing is.</exception>
    public async Task RecoverAsync(CancellationToken token)
    {
        var all = await nodes.GetWaitingWalsAsync(token);
        _accepted.Check(metadata.Image, all);
        foreach (var waiting in all)
        {
            await RecoverAsync(waiting, token);
        }
    }

    /// <summary>
    /// Gives back the files of WALs that nothing is needed of, before a new one is made: on a small disk there may be room for one only. The metadata
    /// forgets them later (<see cref="GiveBackAsync"/>).
    /// </summary>
    public async Task MakeRoomAsync(CancellationToken token)
    {
        if (components.Wal.Kind == WalKind.File)
        {
            foreach (var wal in (await nodes.GetRetiredWalsAsync(token)).Where(wal => wal.Kind == WalKind.File))
            {
                await TryDiscardAsync(wal, token);
            }
        }
    }

    /// <summary>
    /// Gives back what was recovered, or left clean, by processes that died before they gave the space back; names files that the
    /// metadata does not know. Nothing waits for that: done while the node serves, since each start that is cut short leaves one more.
    /// </summary>
    public async Task GiveBackAsync(CancellationToken token)
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

            await ReportOthersAsync(token);
        }
        catch (Exception ended) when (ended is ObjectLogException or StreamException)
        {
            // The controller takes no more requests: the node is stopping, or is about to say why it cannot go on.
            Log.NotGivenBack(_logger, ended.Message);
        }
    }

    private async Task RecoverAsync(WaitingWal waiting, CancellationToken token)
    {
        var wal = waiting.Wal;
        Log.Recovering(_logger, wal.Id, wal.Location, waiting.Streams.Count);
        try
        {
            var provider = components.FormerWals(wal.Kind)
                ?? throw new WalUnavailableException(wal, $"a WAL of kind {wal.Kind} ends with its process.");
            await using var recovery = await provider.TakeOverAsync(wal, token);
            var failover = new WalFailover(
                runtime, options.Streams, new UploadTarget(self, components.Storage, registry, components.Buffers));
            await failover.RecoverAsync(recovery, token);
        }
        catch (WalUnavailableException missing)
        {
            await GiveUpOrWaitAsync(waiting, missing.Message, $"Bring the WAL back ({wal.Location}) and start again; or give", token);
        }
        catch (StreamException damaged) when (damaged.Error == StreamError.Corrupt)
        {
            // The whole streams are complete by now; only the damaged ones still wait.
            var left = (await nodes.GetWaitingWalsAsync(token)).Single(left => left.Wal.Id == wal.Id);
            await GiveUpOrWaitAsync(left, damaged.Message, "Give", token);
        }
    }

    private async Task GiveUpOrWaitAsync(WaitingWal waiting, string reason, string advice, CancellationToken token)
    {
        var wal = waiting.Wal;
        if (waiting.Streams.Count == 0)
        {
            // Its node died before it opened a stream, perhaps before it had made the WAL: there is nothing to lose.
            await registry.CompleteRecoveryAsync(self, wal.Id, token);
            return;
        }

        var all = _accepted.Includes(wal.Id);
        var named = waiting.Streams.Where(stream => all || _accepted.Includes(stream)).ToList();
        if (all || named.Count > 0)
        {
            var lost = await nodes.AcceptLossAsync(self, wal.Id, all ? null : named.Select(stream => stream.Stream).ToHashSet(), token);
            Log.LossAccepted(_logger, string.Join(", ", lost), wal.Id);
        }

        var left = waiting.Streams.Except(named).ToList();
        if (left.Count > 0)
        {
            Log.WalMissing(
                _logger,
                wal.Id,
                wal.Node,
                wal.Epoch,
                reason,
                string.Join(", ", left),
                $"{advice} up what is missing with --accept-loss {wal.Id} (all), or by topic or TOPIC-PARTITION.");
        }
    }

    /// <returns>Whether it takes no space any more.</returns>
    private async Task<bool> TryDiscardAsync(WalDescriptor wal, CancellationToken token)
    {
        try
        {
            if (components.FormerWals(wal.Kind) is not { } provider || await provider.DiscardAsync(wal, token))
            {
                return true;
            }

            Log.WalNotDiscarded(_logger, wal.Id, $"A living process holds {wal.Location}.");
        }
        catch (Exception failure) when (failure is WalUnavailableException or ObjectStorageException)
        {
            Log.WalNotDiscarded(_logger, wal.Id, failure.Message);
        }

        return false;
    }

    private async Task ReportOthersAsync(CancellationToken token)
    {
        try
        {
            foreach (var path in await components.Wal.FindOthersAsync(metadata.Image.Wals.Keys.ToHashSet(), token))
            {
                Log.UnknownWal(_logger, path);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Log.WalsNotListed(_logger, failure.Message);
        }
    }
}
