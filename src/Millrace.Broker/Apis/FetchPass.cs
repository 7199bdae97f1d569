using Millrace.Broker.Partitions;
using Millrace.Broker.Purgatory;
using Millrace.Streams;

namespace Millrace.Broker.Apis;

/// <summary>Reads a fetch's partitions in the order of the request within the limits of the request. May be repeated.</summary>
/// <remarks>
/// Whole batches only. The first batch of all is returned even if it exceeds every limit, or a client would be stuck before it.
/// Holds the memory of what it read until <see cref="TakeRecords"/> hands it on.
/// </remarks>
internal sealed class FetchPass(FetchedPartition[] partitions, int maxBytes) : IDisposable
{
    // A batch was left out for want of room in the response.
    private bool _isFull;

    public FetchedPartition[] Partitions => partitions;

    /// <summary>What the last pass found, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Nothing was found that a client must hear of at once.</summary>
    public bool MayWait { get; private set; }

    /// <summary>Reads each partition. What lies in memory is taken at once; reads that go to the object store run side by side, within the limit.</summary>
    public async ValueTask ReadAsync(CancellationToken token)
    {
        (Bytes, _isFull) = (0, false);
        Queue<(FetchedPartition Fetched, Task<PartitionRead> Read, int Reserved)>? underWay = null;
        try
        {
            var reserved = 0;
            foreach (var fetched in partitions)
            {
                // Each read under way may take all that was reserved for it: the next one waits until something is left.
                while (underWay is { Count: > 0 } && reserved >= maxBytes - Bytes)
                {
                    reserved -= await FinishAsync(underWay);
                }

                // Once a batch did not fit, most others would not either, and each would be read from the store in vain.
                var left = _isFull ? 0 : maxBytes - Bytes - reserved;
                var room = (int)Math.Clamp(Math.Min(left, fetched.Wanted.PartitionMaxBytes), 0, int.MaxValue);
                var read = Begin(fetched, room, atLeastOne: Bytes == 0 && underWay is not { Count: > 0 }, token);
                if (read.IsCompletedSuccessfully)
                {
                    Take(fetched, read.Result, room);
                }
                else
                {
                    (underWay ??= new()).Enqueue((fetched, read.AsTask(), room));
                    reserved += room;
                }
            }

            while (underWay is { Count: > 0 })
            {
                await FinishAsync(underWay);
            }

            await ReadOversizedAsync(token);
        }
        catch
        {
            foreach (var (_, read, _) in underWay ?? [])
            {
                _ = LetGoAsync(read);
            }

            throw;
        }

        MayWait = partitions.Length > 0;
        foreach (var fetched in partitions)
        {
            MayWait &= fetched.Read.Error == PartitionError.None && fetched.Read.Diverging is null;
        }
    }

    /// <summary>A wait for so many more bytes in any of the partitions, counted from where the last pass found them.</summary>
    public FetchWait Watch(long missing)
    {
        var wait = new FetchWait(missing, partitions.Length);
        foreach (var fetched in partitions)
        {
            wait.Watch(fetched.Lookup.Partition!.Progress, fetched.Mark);
        }

        return wait;
    }

    /// <summary>Lets go of what was read.</summary>
    public void Release()
    {
        foreach (var fetched in partitions)
        {
            fetched.Read.Records?.Dispose();
            fetched.Read = fetched.Read with { Records = null, Bytes = 0 };
        }
    }

    /// <summary>Hands on the memory of what was read.</summary>
    public IDisposable TakeRecords()
    {
        var taken = new Lease();
        foreach (var fetched in partitions)
        {
            if (fetched.Read.Records is { } records)
            {
                taken.Reads.Add(records);
                fetched.Read = fetched.Read with { Records = null };
            }
        }

        return taken;
    }

    public void Dispose() => Release();

    private static ValueTask<PartitionRead> Begin(FetchedPartition fetched, int room, bool atLeastOne, CancellationToken token)
    {
        if (fetched.Lookup.Partition is not { } partition)
        {
            return new ValueTask<PartitionRead>(PartitionRead.Failed(fetched.Lookup.Error));
        }

        fetched.Mark = partition.Progress.Mark();
        var wanted = fetched.Wanted;
        return partition.ReadAsync(new PartitionFetch(wanted.FetchOffset, room, atLeastOne, wanted.CurrentLeaderEpoch, wanted.LastFetchedEpoch), token);
    }

    private async ValueTask<int> FinishAsync(Queue<(FetchedPartition Fetched, Task<PartitionRead> Read, int Reserved)> underWay)
    {
        var (fetched, read, reserved) = underWay.Peek();
        Take(fetched, await read, reserved);
        underWay.Dequeue();
        return reserved;
    }

    /// <summary>Whatever is still being read when the fetch ends is let go when it comes.</summary>
    private static async Task LetGoAsync(Task<PartitionRead> read)
    {
        try
        {
            (await read).Records?.Dispose();
        }
        catch (OperationCanceledException)
        {
            // Then there is nothing to let go.
        }
    }

    private void Take(FetchedPartition fetched, PartitionRead read, int room)
    {
        fetched.Read = read;
        Bytes += read.Bytes;
        _isFull |= read.Oversized && room < fetched.Wanted.PartitionMaxBytes;
    }

    /// <summary>If nothing at all was found because the first batches exceed the limits, the first of them comes all the same.</summary>
    private async ValueTask ReadOversizedAsync(CancellationToken token)
    {
        foreach (var fetched in partitions)
        {
            if (Bytes == 0 && fetched.Read.Oversized)
            {
                var room = fetched.Wanted.PartitionMaxBytes;
                Take(fetched, await Begin(fetched, room, atLeastOne: true, token), room);
            }
        }
    }

    private sealed class Lease : IDisposable
    {
        public List<StreamRead> Reads { get; } = [];

        public void Dispose() => Reads.ForEach(read => read.Dispose());
    }
}
