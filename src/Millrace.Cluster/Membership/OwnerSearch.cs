using Millrace.Cluster.Following;
using Millrace.Metadata.Image;
using Millrace.Runtime;

namespace Millrace.Cluster.Membership;

/// <summary>How a node that has no controller finds the one there is.</summary>
/// <param name="runtime">Of the process' part in the cluster.</param>
/// <param name="copy">Of the metadata; read on while this looks.</param>
/// <param name="candidacy">Asks the others.</param>
/// <param name="feed">Has the newest image.</param>
internal sealed class OwnerSearch(NodeRuntime runtime, MetadataCopy copy, Candidacy candidacy, IMetadataFeed feed)
{
    /// <summary>How often it looks whether the log has a new owner.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Finds out who owns the log, and leaves it to others for a while to take the place of one that is lost.</summary>
    /// <returns>Null if nobody does whom this node has not lost, or others hear, and it is its turn.</returns>
    public async Task<TermOwner?> FindAsync(LostController? lost, CancellationToken stopping)
    {
        while (true)
        {
            if (await LookAsync(lost, stopping) is { } owner)
            {
                return owner;
            }

            if (lost?.Left(runtime.Time) is not { } left)
            {
                // Whoever did not answer when it was lost may by now, and hear it.
                return lost is { End: FollowEnd.Silent } && await candidacy.IsHeardAsync(feed.Image, lost.Owner, stopping) ? lost.Owner : null;
            }

            await Task.Delay(left < LookInterval ? left : LookInterval, runtime.Time, stopping);
        }
    }

    /// <summary>
    /// Does what is of use only as long as there is no controller but the one that is lost, and gives it up when somebody has taken its place; where none is
    /// lost, when anybody hears one: the other members may know that long before a slow store says so.
    /// </summary>
    /// <returns>Who has; null if the attempt has come to its end.</returns>
    public async Task<TermOwner?> DoUntilFoundAsync(LostController? lost, Func<CancellationToken, Task> attempt, CancellationToken stopping)
    {
        using var settled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var asking = copy.IsOpen ? AskAsync(lost, settled.Token) : null;
        var attempting = attempt(settled.Token);
        try
        {
            await Waiting.Either(attempting, asking ?? attempting);
            if (!attempting.IsCompleted)
            {
                settled.Cancel();
                await EndAsync(attempting);
            }

            if (attempting.IsCanceled && asking is { IsCompletedSuccessfully: true })
            {
                return await asking;
            }

            await attempting;
            return null;
        }
        finally
        {
            settled.Cancel();
            await EndAsync(asking ?? attempting);
        }
    }

    private async Task<TermOwner?> LookAsync(LostController? lost, CancellationToken stopping) =>
        await DoUntilFoundAsync(lost, copy.ReadAsync, stopping) is { } successor ? successor
        : copy.Owner is { } owner && owner.Id != lost?.Owner.Id ? owner
        : null;

    private async Task<TermOwner> AskAsync(LostController? lost, CancellationToken token)
    {
        // Whoever owns the term that is known here is as good as any later one, if it is not lost.
        var before = lost?.Owner.Term ?? (copy.Owner?.Term ?? 0) - 1;
        if (lost is null)
        {
            // A store that is well has said it by then.
            await Task.Delay(LookInterval, runtime.Time, token);
        }

        while (true)
        {
            if (await candidacy.FindSuccessorAsync(feed.Image, before, token) is { } successor)
            {
                return successor;
            }

            await Task.Delay(LookInterval, runtime.Time, token);
        }
    }

    private static async Task EndAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (OperationCanceledException)
        {
            // Its result is wanted no more.
        }
    }
}
