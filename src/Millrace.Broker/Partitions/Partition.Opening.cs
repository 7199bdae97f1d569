using Microsoft.Extensions.Logging;
using Millrace.Broker.Errors;
using Millrace.Broker.Partitions.Producers;
using Millrace.Protocol.Records;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>How a partition opens: its stream, and its producers as the newest checkpoint and the batches behind it tell of them.</summary>
internal sealed partial class Partition
{
    private const int ReplayBytes = 1 << 20;

    // Over a minute. Others may give memory back meanwhile; a node that has none for this long does better to start anew.
    private const int ShortagesInARow = 16;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(5);

    private async ValueTask<PartitionError> ParkAsync(CancellationToken token)
    {
        PartitionPhase phase;
        Task<PartitionError> over;
        TimeSpan patience;
        lock (_append)
        {
            if (_phase == PartitionPhase.Waiting)
            {
                _phase = PartitionPhase.Opening;
                _opening = _runtime.Spawn($"open {Id}", OpenAsync);
            }

            (phase, over, patience) = (_phase, _over.Task, _parkPatience);
        }

        switch (phase)
        {
            case PartitionPhase.Closing:
                return await over.OrCancelled(token);
            case PartitionPhase.HandingOver:
                return await WhenTakenBackOrMovedAsync(over, patience, token);
            case PartitionPhase.Closed:
                return PartitionError.NotLeader;
            case PartitionPhase.Lost:
                return PartitionErrors.Of(_lostTo);
            default:
                await _opened.Task.OrCancelled(token);
                return await _opened.Task;
        }
    }

    private async Task OpenAsync(CancellationToken stopping)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stopping, _closing.Token);
        var pauses = new BackOff(_runtime, FirstRetry, LongestRetry);
        var shortages = 0;
        IStream? stream = null;
        while (true)
        {
            TimeSpan retry;
            try
            {
                if (_former is { } former)
                {
                    await former._closed.Task.OrCancelled(ends.Token);
                    _former = null;
                }

                stream ??= await _store.OpenAsync(_image.Stream, _image.Epoch, this, ends.Token);
                var producers = await ReplayAsync(stream, ends.Token);
                BecomeOpen(stream, producers);
                return;
            }
            catch (StreamException failure) when (failure.Error is StreamError.StorageUnavailable or StreamError.ControllerLost)
            {
                shortages = 0;
                retry = pauses.Next();
                PartitionMessages.OpeningWaits(_logger, LogLevel.Debug, Id, LeaderEpoch, retry, failure.Message);
            }
            catch (OutOfMemoryException failure) when (++shortages <= ShortagesInARow)
            {
                retry = pauses.Next();
                PartitionMessages.OpeningWaits(_logger, LogLevel.Warning, Id, LeaderEpoch, retry, failure.Message);
            }
            catch (StreamException failure)
            {
                PartitionMessages.NotOpened(_logger, Id, LeaderEpoch, failure.Error, failure.Message);
                LoseUnready(stream, failure.Error);
                return;
            }
            catch (InvalidDataException failure)
            {
                PartitionMessages.NotOpened(_logger, Id, LeaderEpoch, StreamError.Corrupt, failure.Message);
                LoseUnready(stream, StreamError.Corrupt);
                return;
            }
            catch (OperationCanceledException) when (ends.IsCancellationRequested)
            {
                _unready = stream;
                return;
            }

            try
            {
                await Task.Delay(retry, _runtime.Time, ends.Token);
            }
            catch (OperationCanceledException)
            {
                _unready = stream;
                return;
            }
        }
    }

    private void LoseUnready(IStream? stream, StreamError error)
    {
        _unready = stream;
        OnLost(error);
    }

    private void BecomeOpen(IStream stream, ProducerState producers)
    {
        lock (_append)
        {
            _stream = stream;
            if (_phase != PartitionPhase.Lost)
            {
                _producers = producers;
                CountProducers_NeedsLock();
            }

            if (_phase == PartitionPhase.Opening)
            {
                _phase = PartitionPhase.Open;
            }
        }

        if (_phase == PartitionPhase.Open)
        {
            PartitionMessages.Opened(_logger, Id, LeaderEpoch, stream.StartOffset, stream.ConfirmOffset, producers.Count);
            _opened.TrySetResult(PartitionError.None);
        }
    }

    /// <summary>The newest checkpoint, and the headers of the batches behind it: recovered ranges carry no checkpoint.</summary>
    private async ValueTask<ProducerState> ReplayAsync(IStream stream, CancellationToken token)
    {
        var producers = stream.Checkpoint is { State.IsEmpty: false } checkpoint ? PartitionCheckpoint.Read(checkpoint.State.Span) : new ProducerState();
        var now = Now();
        var offset = Math.Max(stream.Checkpoint?.Offset ?? 0, stream.StartOffset);
        while (offset < stream.ConfirmOffset)
        {
            using var read = await stream.ReadAsync(offset, ReplayBytes, token);
            foreach (var record in read.Records)
            {
                if (!RecordBatchHeader.TryRead(record.Payload.Span, out var batch))
                {
                    throw new InvalidDataException($"What is stored at offset {record.BaseOffset} is shorter than a record batch.");
                }

                if (batch.HasProducerId && !batch.IsControl)
                {
                    var remembered = new ProducerBatch(batch.BaseSequence, batch.LastOffsetDelta, batch.BaseOffset, batch.MaxTimestamp);
                    producers.Append(batch.ProducerId, batch.ProducerEpoch, remembered, now);
                }

                offset = record.EndOffset;
            }
        }

        return producers;
    }
}
