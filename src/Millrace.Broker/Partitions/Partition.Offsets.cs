using Millrace.Protocol;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>Offsets by time, and the special ones.</summary>
internal sealed partial class Partition
{
    private const int SearchBytes = 1 << 20;

    /// <summary>Where a new reader of the newest begins: behind what is durable.</summary>
    public PartitionError FindLatest(int currentLeaderEpoch, out OffsetAtTime found)
    {
        var error = Serving(currentLeaderEpoch, out var stream);
        found = error == PartitionError.None ? new OffsetAtTime(stream!.ConfirmOffset, -1, LeaderEpoch) : OffsetAtTime.None;
        return error;
    }

    public PartitionError FindEarliest(int currentLeaderEpoch, out OffsetAtTime found)
    {
        var error = Serving(currentLeaderEpoch, out var stream);
        found = error == PartitionError.None
            ? new OffsetAtTime(stream!.StartOffset, -1, LeaderEpochs.Of(stream.Epochs, stream.StartOffset))
            : OffsetAtTime.None;
        return error;
    }

    /// <summary>The first record whose timestamp is at least this.</summary>
    public ValueTask<(PartitionError Error, OffsetAtTime Found)> FindByTimeAsync(int currentLeaderEpoch, long timestamp, CancellationToken token) =>
        SearchAsync(currentLeaderEpoch, stream => FindByTimeAsync(stream, timestamp, token));

    /// <summary>The first of the records with the largest timestamp.</summary>
    public ValueTask<(PartitionError Error, OffsetAtTime Found)> FindNewestTimeAsync(int currentLeaderEpoch, CancellationToken token) =>
        SearchAsync(currentLeaderEpoch, async stream =>
        {
            // A trimmed record may be the newest of its extent: then the search falls short, and the next lower time is tried.
            foreach (var timestamp in stream.Extents.Select(extent => extent.MaxTimestamp).Where(time => time >= 0).Distinct().OrderDescending())
            {
                var found = await FindByTimeAsync(stream, timestamp, token);
                if (found.Offset >= 0)
                {
                    return found;
                }
            }

            return OffsetAtTime.None;
        });

    private async ValueTask<(PartitionError Error, OffsetAtTime Found)> SearchAsync(
        int currentLeaderEpoch, Func<IStream, ValueTask<OffsetAtTime>> search)
    {
        var error = Serving(currentLeaderEpoch, out var stream);
        if (error != PartitionError.None)
        {
            return (error, OffsetAtTime.None);
        }

        try
        {
            return (PartitionError.None, await search(stream!));
        }
        catch (StreamException failure)
        {
            return (PartitionErrors.Of(failure.Error), OffsetAtTime.None);
        }
        catch (ProtocolException failure)
        {
            Log.ReadFailed(_logger, Id, stream!.StartOffset, failure);
            return (PartitionError.StorageFailed, OffsetAtTime.None);
        }
    }

    private static async ValueTask<OffsetAtTime> FindByTimeAsync(IStream stream, long timestamp, CancellationToken token)
    {
        var from = stream.StartOffset;
        long next;
        using (var first = await stream.FindByTimestampAsync(timestamp, token))
        {
            if (first is null || first.Records.Count == 0)
            {
                return OffsetAtTime.None;
            }

            var record = first.Records[0];
            if (BatchSearch.Find(record.Payload, timestamp, from) is { } found)
            {
                return At(stream, found);
            }

            next = record.EndOffset;
        }

        // The log start lies inside that batch, behind the record that was meant. The ones that follow are looked through.
        while (next < stream.ConfirmOffset)
        {
            using var read = await stream.ReadAsync(next, SearchBytes, token);
            foreach (var record in read.Records)
            {
                next = record.EndOffset;
                if (record.MaxTimestamp >= timestamp && BatchSearch.Find(record.Payload, timestamp, from) is { } found)
                {
                    return At(stream, found);
                }
            }
        }

        return OffsetAtTime.None;
    }

    private static OffsetAtTime At(IStream stream, (long Offset, long Timestamp) found) =>
        new(found.Offset, found.Timestamp, LeaderEpochs.Of(stream.Epochs, found.Offset));
}
