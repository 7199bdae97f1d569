using Microsoft.Extensions.Logging;
using Millrace.Controller.Clients;
using Millrace.Controller.Nodes;
using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Recovery;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Failover;

/// <summary>
/// The WALs that fenced incarnations left and that nobody has recovered: takes over those that are at hand, one by one, and commits what is missing.
/// What waits for the others has no leader: it is not served, because it is not known to be complete.
/// </summary>
/// <param name="runtime">Of the incarnation that recovers.</param>
/// <param name="nodes">Knows which wait.</param>
/// <param name="failover">Commits what one that was taken over holds.</param>
/// <param name="takeovers">Take over WALs by their kind; null for one that ends with its process.</param>
/// <param name="losses">What the operator gives up where one cannot be recovered.</param>
/// <param name="triesAgain">
/// The caller can try again by itself: so a medium that refuses, which may pass, ends the recovery, instead of leaving streams without a leader until
/// somebody starts the process anew.
/// </param>
public sealed class FormerWals(
    NodeRuntime runtime,
    NodeRegistry nodes,
    WalFailover failover,
    Func<WalKind, IWalTakeover?> takeovers,
    AcceptedLosses losses,
    bool triesAgain)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<FormerWals>();

    /// <summary>When this returns, whatever is still incomplete waits for an operator.</summary>
    /// <exception cref="StreamException">Fenced: the one that recovers is itself not wanted any more.</exception>
    /// <exception cref="WalUnavailableException">The medium of one refuses, and the caller tries again.</exception>
    public async Task RecoverAsync(IReadOnlyList<WaitingWal> wals, CancellationToken token)
    {
        foreach (var waiting in wals)
        {
            await RecoverAsync(waiting, token);
        }
    }

    private async Task RecoverAsync(WaitingWal waiting, CancellationToken token)
    {
        var wal = waiting.Wal;
        FailoverMessages.Recovering(_logger, wal.Id, wal.Location, waiting.Streams.Count);
        try
        {
            var takeover = takeovers(wal.Kind) ?? throw new WalUnavailableException(wal, $"a WAL of kind {wal.Kind} ends with its process.");
            await using var recovery = await takeover.TakeOverAsync(wal, token);
            await failover.RecoverAsync(recovery, token);
        }
        catch (WalUnavailableException missing) when (!triesAgain || missing.InnerException is not (IOException or UnauthorizedAccessException))
        {
            await losses.GiveUpOrWaitAsync(waiting, missing.Message, $"Bring the WAL back ({wal.Location}) and start again; or give", token);
        }
        catch (StreamException damaged) when (damaged.Error == StreamError.Corrupt)
        {
            // The whole streams are complete by now; only the damaged ones still wait.
            var left = (await nodes.GetWaitingWalsAsync(token)).Single(left => left.Wal.Id == wal.Id);
            await losses.GiveUpOrWaitAsync(left, damaged.Message, "Give", token);
        }
    }
}
