using Millrace.Broker.Errors;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>What requests learn from an open partition.</summary>
internal sealed partial class Partition
{
    // They are read all at once, each as a whole.
    private const int MostExtents = 4;

    // How much larger than what was asked for one may be: it has to be held as a whole.
    private const int LargestExtent = 4;

    /// <summary>Reads whole batches for a fetch. Does not wait for data; the partition must be open, or it says why it is not.</summary>
    public async ValueTask<PartitionRead> ReadAsync(PartitionFetch fetch, CancellationToken token)
    {
        var error = Serving(fetch.CurrentLeaderEpoch, out var stream);
        if (error != PartitionError.None)
        {
            return PartitionRead.Failed(error);
        }

        var logStart = stream!.StartOffset;
        var end = stream.ConfirmOffset;
        if (fetch.LastFetchedEpoch >= 0)
        {
            var (epoch, endOffset) = LeaderEpochs.EndOf(stream.Epochs, logStart, end, fetch.LastFetchedEpoch);
            if (epoch < 0 || endOffset < 0 || fetch.Offset < logStart)
            {
                return PartitionRead.Failed(PartitionError.OffsetOutOfRange);
            }

            if (epoch < fetch.LastFetchedEpoch || endOffset < fetch.Offset)
            {
                return new PartitionRead { HighWatermark = end, LogStartOffset = logStart, Diverging = (epoch, endOffset) };
            }
        }

        if (fetch.Offset < logStart || fetch.Offset > end)
        {
            return PartitionRead.Failed(PartitionError.OffsetOutOfRange);
        }

        if (fetch.Offset == end || (fetch.MaxBytes <= 0 && !fetch.AtLeastOne))
        {
            return new PartitionRead { HighWatermark = end, LogStartOffset = logStart, Oversized = fetch.Offset < end, HasMore = fetch.Offset < end };
        }

        try
        {
            var records = await stream.ReadAsync(fetch.Offset, Math.Max(fetch.MaxBytes, 1), token);
            return Shape(stream, records, fetch, end);
        }
        catch (StreamException failure)
        {
            if (PartitionErrors.Of(failure.Error) == PartitionError.StorageFailed)
            {
                PartitionMessages.ReadFailed(_logger, Id, fetch.Offset, failure.Error, failure.Message);
            }

            return PartitionRead.Failed(PartitionErrors.Of(failure.Error));
        }
    }

    /// <summary>
    /// Where in the store's part of the WAL the records from an offset on lie, one object after another, as long as each has so many bytes of them at least;
    /// and so many in all, or those of one that has not many more.
    /// </summary>
    public IReadOnlyList<WalExtent> FindInWal(long offset, int leastBytes, int maxBytes)
    {
        var extents = new List<WalExtent>();
        var bytes = 0L;
        while (leastBytes > 0 && extents.Count < MostExtents && _stream?.FindInWal(offset) is { } extent
            && extent.Bytes >= leastBytes && bytes + extent.Bytes <= (extents.Count == 0 ? (long)LargestExtent * maxBytes : maxBytes))
        {
            extents.Add(extent);
            (offset, bytes) = (extent.EndOffset, bytes + extent.Bytes);
        }

        return extents;
    }

    public void CountOut(in PartitionRead read) => Traffic.Out(read.Bytes);

    /// <summary>The newest leader epoch not above one that a client knows, and where it ended: where the client's log may differ.</summary>
    public PartitionError FindEpochEnd(int currentLeaderEpoch, int leaderEpoch, out (int Epoch, long EndOffset) end)
    {
        var error = Serving(currentLeaderEpoch, out var stream);
        end = error == PartitionError.None
            ? LeaderEpochs.EndOf(stream!.Epochs, stream.StartOffset, stream.ConfirmOffset, leaderEpoch)
            : (LeaderEpochs.None, -1);
        return error;
    }

    /// <summary>Deletes the records below an offset, durably.</summary>
    /// <param name="offset">-1 for all that can be read.</param>
    /// <returns>The log start offset afterwards.</returns>
    public async ValueTask<(PartitionError Error, long LogStartOffset)> DeleteRecordsAsync(long offset, CancellationToken token)
    {
        var error = Serving(-1, out var stream);
        if (error != PartitionError.None)
        {
            return (error, -1);
        }

        if (!Settings.DeletesOldRecords && Settings.IsCompacted)
        {
            return (PartitionError.PolicyViolation, -1);
        }

        return await RaiseLogStartAsync(offset == -1 ? stream!.ConfirmOffset : offset, token);
    }

    /// <summary>Deletes the records below an offset, durably, whatever the topic's policy: for who has written what stands there once more.</summary>
    /// <returns>The log start offset afterwards.</returns>
    public async ValueTask<(PartitionError Error, long LogStartOffset)> RaiseLogStartAsync(long target, CancellationToken token)
    {
        var error = Serving(-1, out var stream);
        if (error != PartitionError.None)
        {
            return (error, -1);
        }

        if (target < 0 || target > stream!.ConfirmOffset)
        {
            return (PartitionError.OffsetOutOfRange, -1);
        }

        try
        {
            await TrimAsync(stream, target, token);
            return (PartitionError.None, stream.StartOffset);
        }
        catch (StreamException failure)
        {
            return (PartitionErrors.Of(failure.Error), -1);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return (PartitionError.TimedOut, -1);
        }
    }

    /// <summary>Deletes what the topic's retention gives up, and forgets producers that were idle for too long.</summary>
    public async ValueTask MaintainAsync(TimeSpan producerExpiration, CancellationToken token)
    {
        if (_phase != PartitionPhase.Open || _stream is not { } stream)
        {
            return;
        }

        lock (_append)
        {
            _producers.Expire(Now(), (long)producerExpiration.TotalMilliseconds);
            CountProducers_NeedsLock();
        }

        var from = stream.StartOffset;
        if (RetentionPolicy.NewLogStart(stream.Extents, Settings, Now(), stream.ConfirmOffset) is { } to && to > from)
        {
            try
            {
                await TrimAsync(stream, to, token);
                PartitionMessages.Retained(_logger, Id, from, to);
            }
            catch (StreamException failure)
            {
                PartitionMessages.RetentionFailed(_logger, Id, failure.Error, failure.Message);
            }
        }
    }

    /// <summary>Adds when each idempotent producer was last seen.</summary>
    public void CollectProducersLastSeen(List<long> seen)
    {
        lock (_append)
        {
            _producers.CollectLastSeen(seen);
        }
    }

    /// <summary>Forgets idempotent producers before their time: those last seen at a time or before, and no more than so many.</summary>
    /// <returns>How many.</returns>
    public int ForgetProducers(long lastSeen, int atMost)
    {
        lock (_append)
        {
            var forgotten = _producers.Forget(lastSeen, atMost);
            CountProducers_NeedsLock();
            return forgotten;
        }
    }

    private async ValueTask TrimAsync(IStream stream, long target, CancellationToken token)
    {
        if (target > stream.StartOffset)
        {
            await stream.TrimAsync(target, token);

            // A fetch that waits below it must learn that its offset is gone.
            Progress.EndWaits();
        }
    }

    private static PartitionRead Shape(IStream stream, StreamRead records, PartitionFetch fetch, long end)
    {
        var bytes = 0;
        for (var i = 0; i < records.Records.Count; i++)
        {
            bytes += records.Records[i].Payload.Length;
        }

        if (bytes == 0 || (bytes > fetch.MaxBytes && !fetch.AtLeastOne))
        {
            records.Dispose();
            return new PartitionRead { HighWatermark = stream.ConfirmOffset, LogStartOffset = stream.StartOffset, Oversized = bytes > 0, HasMore = bytes > 0 };
        }

        // Read after the records, so that it is not below them.
        return new PartitionRead
        {
            HighWatermark = stream.ConfirmOffset,
            LogStartOffset = stream.StartOffset,
            Records = records,
            Bytes = bytes,
            HasMore = records.Records[^1].EndOffset < end,
        };
    }

    /// <summary>The stream, if requests may read from it at the epoch that the client believes in.</summary>
    private PartitionError Serving(int currentLeaderEpoch, out IStream? stream)
    {
        stream = _stream;
        return _phase switch
        {
            PartitionPhase.Open or PartitionPhase.Closing when stream is not null => CheckEpoch(currentLeaderEpoch),
            PartitionPhase.HandingOver when stream is { MayHaveMoved: false } => CheckEpoch(currentLeaderEpoch),
            PartitionPhase.Lost => PartitionErrors.Of(_lostTo),
            _ => PartitionError.NotLeader,
        };
    }

    private PartitionError CheckEpoch(int currentLeaderEpoch) =>
        currentLeaderEpoch < 0 || currentLeaderEpoch == LeaderEpoch ? PartitionError.None
        : currentLeaderEpoch < LeaderEpoch ? PartitionError.FencedLeaderEpoch
        : PartitionError.UnknownLeaderEpoch;
}
