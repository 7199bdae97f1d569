using Millrace.Broker.Errors;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Broker.Purgatory;

namespace Millrace.Broker.Apis.Data;

/// <summary>Reads a fetch's partitions in the order of the request within the limits of the request. May be repeated.</summary>
/// <remarks>
/// Whole batches only. The first batch of all is returned even if it exceeds every limit, or a client would be stuck before it.
/// Holds the memory of what it read, and room for as much, until it is disposed: when the response is written, or given up.
/// </remarks>
/// <param name="partitions">What is wanted, in the order of the request.</param>
/// <param name="limit">How much there may be.</param>
/// <param name="wantedBytes">How much the client wants at most.</param>
internal sealed class FetchPass(FetchedPartition[] partitions, FetchLimit limit, int wantedBytes) : IDisposable
{
    private long _room;

    // No more can be read: a batch did not fit into all that is left.
    private bool _isFull;

    // A batch did not fit into what reads under way have left.
    private bool _isCrowded;

    public FetchedPartition[] Partitions => partitions;

    /// <summary>What the last pass might bring, all partitions together, as there was room.</summary>
    public int MaxBytes { get; private set; }

    /// <summary>What it found, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>All that there is was read, and nothing was found that a client must hear of at once.</summary>
    public bool MayWait { get; private set; }

    /// <summary>Reads each partition. What lies in memory is taken at once; reads that go to the object store run side by side, within the limit.</summary>
    public async ValueTask ReadAsync(CancellationToken token)
    {
        // What the pass before found is let go: this one finds it again, and more.
        Release();
        _room = MaxBytes = limit.Take(wantedBytes);
        (Bytes, _isFull) = (0, false);
        await ReadAsync(partitions, token);

        // Each round brings the first batch of those that remain, or finds that it cannot come.
        while (LeftOut() is { Length: > 0 } again)
        {
            await ReadAsync(again, token);
        }

        KeepRoom(Bytes);
        MayWait = partitions.Length > 0;
        foreach (var fetched in partitions)
        {
            MayWait &= fetched is { SentTo: null, Read: { Error: PartitionError.None, Diverging: null, HasMore: false } };
        }
    }

    /// <summary>Says what each partition gave in the last pass, which is the answer.</summary>
    public void CountTraffic()
    {
        foreach (var fetched in partitions)
        {
            if (fetched.Read.Bytes > 0)
            {
                fetched.Source!.CountOut(fetched.Read);
            }
        }
    }

    /// <summary>A wait for so many more bytes in any of the partitions, counted from where the last pass found them.</summary>
    public FetchWait Watch(long missing)
    {
        var wait = new FetchWait(missing, partitions.Length);
        foreach (var fetched in partitions)
        {
            wait.Watch(fetched.Source!.Progress, fetched.Mark);
        }

        return wait;
    }

    /// <summary>Lets go of what was read, and of the room for it.</summary>
    public void Release()
    {
        KeepRoom(0);
        foreach (var fetched in partitions)
        {
            fetched.Read.Records?.Dispose();
            fetched.Read = fetched.Read with { Records = null, Bytes = 0 };
        }
    }

    public void Dispose() => Release();

    private void KeepRoom(long bytes)
    {
        limit.GiveBack(_room - bytes);
        _room = bytes;
    }

    private async ValueTask ReadAsync(FetchedPartition[] wanted, CancellationToken token)
    {
        _isCrowded = false;
        Queue<(FetchedPartition Fetched, Task<PartitionRead> Read)>? underWay = null;
        try
        {
            var reserved = 0;
            foreach (var fetched in wanted)
            {
                // Each read under way may take all that was reserved for it: the next one waits until something is left.
                while (underWay is { Count: > 0 } && reserved >= MaxBytes - Bytes)
                {
                    reserved -= await FinishAsync(underWay);
                }

                // Once a batch did not fit, most others would not either, and each would be read from the store in vain.
                var left = _isCrowded ? 0 : MaxBytes - Bytes - reserved;
                fetched.Room = (int)Math.Clamp(Math.Min(left, fetched.Wanted.PartitionMaxBytes), 0, int.MaxValue);
                var read = Begin(fetched, atLeastOne: Bytes == 0 && underWay is not { Count: > 0 }, token);
                if (read.IsCompletedSuccessfully)
                {
                    Take(fetched, read.Result);
                }
                else
                {
                    (underWay ??= new()).Enqueue((fetched, read.AsTask()));
                    reserved += fetched.Room;
                }
            }

            while (underWay is { Count: > 0 })
            {
                await FinishAsync(underWay);
            }
        }
        catch
        {
            foreach (var (_, read) in underWay ?? [])
            {
                _ = LetGoAsync(read);
            }

            throw;
        }
    }

    /// <summary>
    /// The partitions whose batch may come now that no other read is under way: those that had less room than they may take, and all,
    /// whatever they may take, if nothing was found at all.
    /// </summary>
    private FetchedPartition[] LeftOut() => _isFull && Bytes > 0 ? []
        : Array.FindAll(partitions, fetched => fetched.Read.Oversized && (Bytes == 0 || fetched.Room < fetched.Wanted.PartitionMaxBytes));

    private static ValueTask<PartitionRead> Begin(FetchedPartition fetched, bool atLeastOne, CancellationToken token)
    {
        if (fetched.Source is not { } source)
        {
            return new ValueTask<PartitionRead>(PartitionRead.Failed(fetched.Lookup.Error));
        }

        fetched.Mark = source.Progress.Mark();
        var wanted = fetched.Wanted;
        var (room, always) = fetched.SentTo is null ? (fetched.Room, atLeastOne) : (0, false);
        return source.ReadAsync(new PartitionFetch(wanted.FetchOffset, room, always, wanted.CurrentLeaderEpoch, wanted.LastFetchedEpoch), token);
    }

    private async ValueTask<int> FinishAsync(Queue<(FetchedPartition Fetched, Task<PartitionRead> Read)> underWay)
    {
        var (fetched, read) = underWay.Peek();
        Take(fetched, await read);
        underWay.Dequeue();
        return fetched.Room;
    }

    /// <summary>Whatever is still being read when the fetch ends is let go when it comes.</summary>
    private static async Task LetGoAsync(Task<PartitionRead> read)
    {
        try
        {
            (await read).Records?.Dispose();
        }
        catch (Exception)
        {
            // Then there is nothing to let go, and the failure that ended the fetch is told already.
        }
    }

    private void Take(FetchedPartition fetched, PartitionRead read)
    {
        // Whoever is sent elsewhere finds there what it was not given here.
        fetched.Read = fetched.SentTo is null ? read : read with { Oversized = false };
        Bytes += read.Bytes;
        if (fetched.Read.Oversized && fetched.Room < fetched.Wanted.PartitionMaxBytes)
        {
            _isCrowded = true;
            _isFull |= fetched.Room >= MaxBytes - Bytes;
        }
    }
}
