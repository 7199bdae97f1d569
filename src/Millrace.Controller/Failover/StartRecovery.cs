using System.Runtime.ExceptionServices;
using Millrace.Controller.Nodes;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Failover;

/// <summary>What an incarnation recovers before it serves: its shares of WALs, those of its own former incarnations as a rule.</summary>
/// <param name="recovery">Brings a share.</param>
/// <param name="losses">What the operator gives up where one cannot be recovered.</param>
public sealed class StartRecovery(ShareTakeover recovery, AcceptedLosses losses)
{
    /// <summary>
    /// Recovers this node's shares of some, one by one, before it serves. What waits for those that are not at hand has no leader: it is not served, because
    /// it is not known to be complete.
    /// </summary>
    /// <param name="wals">Those that wait.</param>
    /// <param name="triesAgain">
    /// The caller can try again by itself: so a medium that refuses, which may pass, fails the recovery when the others have been tried, instead of leaving
    /// streams without a leader until somebody starts the process anew.
    /// </param>
    /// <param name="token">Ends it; what was committed stays so.</param>
    /// <exception cref="StreamException">Fenced: the one that recovers is itself not wanted any more.</exception>
    /// <exception cref="WalUnavailableException">
    /// The medium of one refuses, and the caller tries again; or somebody else takes it just now, who may well recover what would be given up.
    /// </exception>
    public async Task RunAsync(IReadOnlyList<WaitingWal> wals, bool triesAgain, CancellationToken token)
    {
        if (wals.Count == 0)
        {
            return;
        }

        var shares = await recovery.GetSharesAsync(token);
        WalUnavailableException? refusal = null;

        // First what nothing of this machine can hold up.
        foreach (var wal in wals.Select(waiting => waiting.Wal).OrderBy(wal => !wal.Kind.IsOfAll()))
        {
            // Where something is to be given up, the whole WAL is read, whoever's its shares are: what can be recovered is no loss.
            var share = shares.FirstOrDefault(share => share.WalId == wal.Id);
            if (share is null && losses.IsEmpty && wal.Kind != WalKind.Block)
            {
                continue;
            }

            // A device is this node's from here on: its former WALs are sealed first, so that no survivor has to take it away for that.

            try
            {
                await recovery.RecoverAsync(wal, share ?? new WalShare(wal.Id, []), token);
                if (!losses.IsEmpty)
                {
                    await losses.GiveUpOrWaitAsync(wal.Id, stream => stream.IsDamaged, "records that only it had are missing.", "Give", token);
                }
            }
            catch (WalUnavailableException missing) when ((!triesAgain && wal.Kind != WalKind.Block) || !missing.MayPass)
            {
                await losses.GiveUpOrWaitAsync(
                    wal.Id, _ => true, missing.Message, $"Bring the WAL back ({wal.Location}) and start again; or give", token);
            }
            catch (WalUnavailableException refused)
            {
                // Thrown when the others have been tried: what is in the store must not wait for this machine.
                refusal ??= refused;
            }
            catch (StreamException damaged) when (damaged.Error == StreamError.Corrupt)
            {
                // The whole streams are complete by now; only the damaged ones still wait.
                await losses.GiveUpOrWaitAsync(wal.Id, stream => stream.IsDamaged, damaged.Message, "Give", token);
            }
        }

        if (refusal is not null)
        {
            ExceptionDispatchInfo.Throw(refusal);
        }
    }
}
