using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Failover;

/// <summary>Recovers one WAL of a fenced incarnation: fences it, reads what it acknowledged, commits what is missing.</summary>
/// <param name="runtime">Of the incarnation that recovers.</param>
/// <param name="options">How objects are made.</param>
/// <param name="target">Where they go, and in whose name.</param>
/// <param name="takeovers">Take over WALs by their kind; null for one that ends with its process.</param>
public sealed class WalRecovery(NodeRuntime runtime, StreamsOptions options, UploadTarget target, Func<WalKind, IWalTakeover?> takeovers)
{
    /// <exception cref="WalUnavailableException">It is not at hand.</exception>
    /// <exception cref="StreamException">Corrupt: single streams of it are damaged; all others are complete. Fenced.</exception>
    public async Task RecoverAsync(WalDescriptor wal, CancellationToken token)
    {
        var takeover = takeovers(wal.Kind) ?? throw new WalUnavailableException(wal, $"a WAL of kind {wal.Kind} ends with its process.");
        await using var recovery = await takeover.TakeOverAsync(wal, token);
        await new WalFailover(runtime, options, target).RecoverAsync(recovery, token);
    }
}
