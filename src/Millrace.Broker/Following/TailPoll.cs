using Millrace.Metadata;
using Millrace.Network.Links;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;

namespace Millrace.Broker.Following;

/// <summary>Asks a followed partition's leader, whoever that is at the moment, for what comes next, again and again, by a connection of its own.</summary>
/// <param name="runtime">The node's.</param>
/// <param name="followed">Takes what is told.</param>
/// <param name="links">The ways to leaders.</param>
/// <param name="streams">Reads what the leader tells the place of.</param>
/// <param name="stream">The partition's.</param>
/// <param name="limit">The memory that its newest batches may take at the moment, in bytes.</param>
internal sealed class TailPoll(
    NodeRuntime runtime, FollowedPartition followed, LeaderLinks links, IStreamStore streams, StreamId stream, Func<long> limit)
{
    private const int LeastBytes = 64 << 10;
    private const int MostBytes = 1 << 20;

    /// <summary>A leader that has nothing to tell says so.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Patience = Wait + TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    // A store that does not answer, or has not what it should: for a while the leader sends what it has.
    private static readonly TimeSpan WalPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WithoutWal = TimeSpan.FromSeconds(10);

    private long _walFailedAt;
    private bool _readsWal = true;

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
                followed.LetGo();
            }

            await pauses.PauseAsync(token);
        }
    }

    /// <returns>Whether it leads, and has told something.</returns>
    private async Task<bool> AskAsync(PeerConnection link, FollowedLeader leader, CancellationToken token)
    {
        var maxBytes = limit() is var room and > 0 ? (int)Math.Clamp(room / 4, LeastBytes, MostBytes) : 0;
        var onlyObjects = maxBytes == 0;

        // Readers wait for the first word of a leader, though it may have no news.
        var isHeard = followed.Word?.Epoch >= leader.Epoch;
        if (onlyObjects)
        {
            // Readers have nothing but what lies in objects. That grows by the second at most.
            await Task.Delay(isHeard ? Wait : TimeSpan.Zero, runtime.Time, token);
        }
        else if (isHeard && IsFull(maxBytes))
        {
            // Who waits for more than there is room for has to take what there is.
            followed.Progress.EndWaits();
            if (!await IsReadOnAsync(maxBytes, token))
            {
                // Its readers are behind, in what lies in objects perhaps: they had better find the rest there, too, when they come to it.
                maxBytes = 0;
            }
        }

        if (followed.UnreadBytes == 0 && followed.Tail.HeldBytes > limit())
        {
            // The last piece, which was kept to be read, and was.
            followed.LetGo();
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
                    MaxWaitMs = isHeard ? (int)Wait.TotalMilliseconds : 0,
                    LogStartOffset = followed.Word?.LogStartOffset ?? -1,
                    ReadsWal = _readsWal,
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

        if (maxBytes > 0)
        {
            followed.Take(answer, limit());
            await ReadWalAsync(answer, token);
        }
        else
        {
            followed.TakeWord(answer, onlyObjects);
        }

        return true;
    }

    /// <summary>Takes what the leader has not sent, since it lies in the store as well.</summary>
    private async Task ReadWalAsync(FollowPartitionResponse answer, CancellationToken token)
    {
        _readsWal |= runtime.Time.GetElapsedTime(_walFailedAt) > WithoutWal;
        var offset = answer.Offset;

        // All at once, and taken one after another.
        List<(long EndOffset, Task<IReadOnlyList<StreamRecord>?> Records)> reads = [];
        foreach (var told in answer.Extents)
        {
            var begin = reads.Count > 0 ? reads[^1].EndOffset : offset;
            var extent = new WalExtent(told.Location, told.Term, told.Index, new StreamEpoch(answer.LeaderEpoch), told.EndOffset, told.Bytes);
            reads.Add((told.EndOffset, ReadWalAsync(extent, begin, token)));
        }

        foreach (var (end, read) in reads)
        {
            if (await read is not { Count: > 0 } records || records[^1].EndOffset != end)
            {
                (_readsWal, _walFailedAt) = (false, runtime.Time.GetTimestamp());
                return;
            }

            var joined = new JoinedMemory();
            foreach (var record in records)
            {
                joined.Add(record.Payload);
            }

            followed.Take(answer.LeaderEpoch, offset, joined.ToSequence(), limit());
            offset = end;
        }
    }

    private async Task<IReadOnlyList<StreamRecord>?> ReadWalAsync(WalExtent extent, long offset, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(WalPatience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        try
        {
            return await streams.ReadWalAsync(extent, stream, offset, either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return null;
        }
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
