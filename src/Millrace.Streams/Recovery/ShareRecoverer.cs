using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Streams.Cache;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;

namespace Millrace.Streams.Recovery;

/// <summary>
/// Commits what a fenced incarnation had acknowledged and not yet uploaded, as far as it is this node's share: reads the sealed WAL, leaves out what is
/// committed already or is another's, uploads the rest in bounded memory, and tells the registry that the ranges of the share are complete.
/// </summary>
/// <remarks>
/// The registry has fenced the incarnation before it told anybody of a share, so committed ends no longer move behind this node's back. May be killed and
/// repeated at any point, or run twice at once: what one has committed the other leaves out, or is told that it counts already. Nodes with different shares
/// of one WAL do not meet. Threading: one recovery per instance call; instances share nothing.
/// </remarks>
/// <param name="runtime">Of the node.</param>
/// <param name="options">Sizes and pauses.</param>
/// <param name="target">Where objects go.</param>
/// <param name="cache">What is recovered comes here, so that it is opened from memory; null where nobody opens it.</param>
public sealed class ShareRecoverer(NodeRuntime runtime, StreamsOptions options, UploadTarget target, ObjectCache? cache = null)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ShareRecoverer>();

    /// <summary>What this node has to bring, and of which WALs.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    public Task<IReadOnlyList<WalShare>> GetSharesAsync(CancellationToken token) => NewCalls().GetSharesAsync(token);

    /// <summary>
    /// Recovers a share of one WAL, and gives the WAL's space back if it was the last; should the medium refuse that, it is left to the next start.
    /// </summary>
    /// <param name="wal">Sealed.</param>
    /// <param name="share">As the registry told it after the WAL's incarnation was fenced.</param>
    /// <param name="token">Ends it; what was committed stays so.</param>
    /// <exception cref="StreamException">
    /// Fenced: the recoverer itself was fenced. Corrupt: records that could have been acknowledged are missing from the WAL; the registry knows
    /// whose, the other streams are complete, and the WAL is kept. StorageUnavailable: some of what was read is not committed after all; to be read again.
    /// </exception>
    public async Task<RecoveredShare> RecoverAsync(ISealedWal wal, WalShare share, CancellationToken token)
    {
        var registry = NewCalls();
        using var pending = new RecoveredRecords(target.Buffers);
        var run = new ShareRun(runtime, share, registry, pending, new ObjectUploader(runtime, options, target, _logger, cache: cache));
        await foreach (var record in wal.ReadAsync(token))
        {
            run.Take(record);
            if (pending.Bytes >= options.UploadBytes)
            {
                await run.UploadAsync(token);
            }
        }

        var completion = await run.CompleteAsync(token);
        if (completion.Uncommitted.Count > 0)
        {
            throw run.ToBeReadAgain(completion.Uncommitted);
        }

        if (completion.Damaged.Count > 0)
        {
            throw run.Incomplete(completion.Damaged);
        }

        return run.ResultOf(isGivenBack: completion.IsRetired && await TryGiveBackAsync(wal, token));
    }

    private RegistryCalls NewCalls() => new(target.Node, target.Registry, new Retry(runtime, options, _logger));

    private async Task<bool> TryGiveBackAsync(ISealedWal wal, CancellationToken token)
    {
        try
        {
            await wal.CompleteAsync(token);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectStorageException or ObjectLogException)
        {
            // Everything in it is committed, and the registry knows; only its space is missing. Nothing waits for that.
            StreamsMessages.NotGivenBack(_logger, wal.Descriptor.Id, failure.Message);
            return false;
        }
    }
}
