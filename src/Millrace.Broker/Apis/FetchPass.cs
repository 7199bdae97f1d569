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
    public FetchedPartition[] Partitions => partitions;

    /// <summary>What the last pass found, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Nothing was found that a client must hear of at once.</summary>
    public bool MayWait { get; private set; }

    public async ValueTask ReadAsync(CancellationToken token)
    {
        Bytes = 0;
        MayWait = partitions.Length > 0;
        var left = maxBytes;
        foreach (var fetched in partitions)
        {
            if (fetched.Lookup.Partition is { } partition)
            {
                fetched.Mark = partition.Progress.Mark();
                var wanted = fetched.Wanted;
                fetched.Read = await partition.ReadAsync(
                    new PartitionFetch(
                        wanted.FetchOffset,
                        Math.Min(wanted.PartitionMaxBytes, left),
                        AtLeastOne: Bytes == 0,
                        wanted.CurrentLeaderEpoch,
                        wanted.LastFetchedEpoch),
                    token);
                Bytes += fetched.Read.Bytes;
                left = (int)Math.Max(0, left - (long)fetched.Read.Bytes);
            }

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

    private sealed class Lease : IDisposable
    {
        public List<StreamRead> Reads { get; } = [];

        public void Dispose() => Reads.ForEach(read => read.Dispose());
    }
}
