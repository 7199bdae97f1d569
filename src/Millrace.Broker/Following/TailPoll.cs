using Millrace.Metadata;
using Millrace.Network.Links;
using Millrace.Runtime;

namespace Millrace.Broker.Following;

/// <summary>Asks a followed partition's leader, whoever that is at the moment, for what comes next, again and again, by a connection of its own.</summary>
/// <param name="runtime">The node's.</param>
/// <param name="followed">Takes what is told.</param>
/// <param name="links">The ways to leaders.</param>
/// <param name="limit">The memory that its newest batches may take at the moment, in bytes.</param>
internal sealed class TailPoll(NodeRuntime runtime, FollowedPartition followed, LeaderLinks links, Func<long> limit)
{
    private const int LeastBytes = 64 << 10;
    private const int MostBytes = 1 << 20;

    /// <summary>A leader that has nothing to tell says so.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Patience = Wait + TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>Goes on until it is followed no more.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stopping, followed.Over);
        try
        {
            while (true)
            {
                var leader = followed.Leader;
                using var term = CancellationTokenSource.CreateLinkedTokenSource(ends.Token, leader.Ended);
                try
                {
                    await FollowAsync(leader, term.Token);
                }
                catch (OperationCanceledException) when (!ends.IsCancellationRequested)
                {
                    // Another one leads.
                }
            }
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            // Nobody reads it here any more, or the broker ends.
        }
        finally
        {
            followed.Tail.Dispose();
        }
    }

    /// <summary>Goes on until the leader is another, whatever becomes of the way to it.</summary>
    private async Task FollowAsync(FollowedLeader leader, CancellationToken token)
    {
        if (leader.Address is not { } address)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, runtime.Time, token);
            return;
        }

        var pauses = new BackOff(runtime, FirstPause, LongestPause);
        while (true)
        {
            try
            {
                await using var link = await links.ConnectAsync(address, token);
                while (await AskAsync(link, leader, token))
                {
                    pauses = new BackOff(runtime, FirstPause, LongestPause);
                }
            }
            catch (Exception failure) when (LeaderLinks.IsLoss(failure))
            {
                // A consumer that waits for long is sent to the leader itself.
            }
            catch (OutOfMemoryException)
            {
                // What others give back will do, and what is given up here.
                followed.Tail.Reset(followed.Tail.End);
            }

            await pauses.PauseAsync(token);
        }
    }

    /// <returns>Whether it leads, and has told something.</returns>
    private async Task<bool> AskAsync(PeerConnection link, FollowedLeader leader, CancellationToken token)
    {
        var maxBytes = (int)Math.Clamp(limit() / 4, LeastBytes, MostBytes);
        if (IsFull(maxBytes) && !await IsReadOnAsync(maxBytes, token))
        {
            // Its readers are behind, in what lies in objects perhaps: they had better find the rest there, too, when they come to it.
            maxBytes = 0;
        }

        using var patience = new CancellationTokenSource(Patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        FollowPartitionResponse answer;
        try
        {
            answer = await link.CallAsync<FollowPartitionRequest, FollowPartitionResponse>(
                new FollowPartitionRequest
                {
                    NodeId = links.Self.Value,
                    TopicId = followed.Id.TopicId,
                    Partition = followed.Id.Partition,
                    LeaderEpoch = leader.Epoch,
                    Offset = followed.Tail.End,
                    MaxBytes = maxBytes,
                    Follows = true,
                    MaxWaitMs = (int)Wait.TotalMilliseconds,
                    LogStartOffset = followed.Word?.LogStartOffset ?? -1,
                },
                either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new IOException("The leader is silent");
        }

        if (answer.ErrorCode != 0)
        {
            return false;
        }

        followed.Take(answer, limit());
        return true;
    }

    private bool IsFull(int maxBytes) => followed.UnreadBytes is var unread and > 0 && unread + maxBytes > limit();

    /// <returns>Whether there is room for more now; false after the time in which a leader has to be heard.</returns>
    private async Task<bool> IsReadOnAsync(int maxBytes, CancellationToken token)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(token);
        var over = Task.Delay(Wait, runtime.Time, patience.Token);
        while (!over.IsCompleted)
        {
            var readOn = followed.WhenReadOn();
            if (!IsFull(maxBytes))
            {
                break;
            }

            await Waiting.Either(readOn, over);
        }

        patience.Cancel();
        token.ThrowIfCancellationRequested();
        return !IsFull(maxBytes);
    }
}
