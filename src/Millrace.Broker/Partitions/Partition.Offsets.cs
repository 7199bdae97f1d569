using Millrace.Broker.Errors;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Protocol.Primitives;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>Offsets by time, and the special ones.</summary>
internal sealed partial class Partition
{
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
        SearchAsync(currentLeaderEpoch, stream => FindNewestTimeAsync(stream, token));

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
            PartitionMessages.ReadFailed(_logger, Id, stream!.StartOffset, StreamError.Corrupt, failure.Message);
            return (PartitionError.StorageFailed, OffsetAtTime.None);
        }
    }

    private static async ValueTask<OffsetAtTime> FindByTimeAsync(IStream stream, long timestamp, CancellationToken token)
    {
        var logStart = stream.StartOffset;
        var from = logStart;
        while (true)
        {
            using var batch = await stream.FindByTimestampAsync(timestamp, from, token);
            if (batch is null || batch.Records.Count == 0)
            {
                return OffsetAtTime.None;
            }

            var record = batch.Records[0];
            if (BatchSearch.Find(record.Payload, timestamp, logStart) is { } found)
            {
                return new OffsetAtTime(found.Offset, found.Timestamp, LeaderEpochs.Of(stream.Epochs, found.Offset));
            }

            // The log start lies inside that batch, behind the record that was meant: the next one, if any, is meant as a whole.
            from = record.EndOffset;
        }
    }

    private static async ValueTask<OffsetAtTime> FindNewestTimeAsync(IStream stream, CancellationToken token)
    {
        var newest = -1L;
        foreach (var extent in stream.Extents)
        {
            newest = Math.Max(newest, extent.MaxTimestamp);
        }

        var found = newest < 0 ? OffsetAtTime.None : await FindByTimeAsync(stream, newest, token);
        if (found.Offset >= 0 || newest < 0)
        {
            return found;
        }

        // The newest record lies below the log start, in a batch that is still there. The largest time that finds a record is
        // the newest of the rest: some forty lookups, in a case that only trimming inside a batch brings about.
        var (low, high) = (0L, newest);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            var candidate = await FindByTimeAsync(stream, middle, token);
            if (candidate.Offset < 0)
            {
                high = middle;
            }
            else
            {
                found = candidate;
                low = candidate.Timestamp + 1;
            }
        }

        // What was found is the first record of at least some time; the first of the largest time may come later.
        return found.Offset < 0 ? found : await FindByTimeAsync(stream, high - 1, token);
    }
}
