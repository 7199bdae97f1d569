using Millrace.Broker.Errors;
using Millrace.Broker.Partitions.Intake;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Broker.Partitions.Producers;
using Millrace.Protocol.Records;
using Millrace.Runtime.Buffers;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>The append path: sequence check, offset and epoch into the batch, stream.</summary>
internal sealed partial class Partition
{
    /// <summary>
    /// Appends a batch. When this completes, the batch has its offsets, or was refused and has left no trace; when its
    /// <see cref="PendingAppend.Durable"/> completes, it may be acknowledged. Calls that do not park take their offsets in the
    /// order of the calls.
    /// </summary>
    /// <param name="batch">
    /// Found to be in order. Its memory is held from here for as long as it is parked:
    /// the caller's own hold is needed for the call only.
    /// </param>
    /// <param name="fromReserve">Takes room that producers leave untouched: for what groups depend on.</param>
    /// <param name="token">Ends the time that the batch may be parked: while the partition opens or closes, or while the store has no room.</param>
    public async ValueTask<PendingAppend> AppendAsync(ProducedBatch batch, bool fromReserve, CancellationToken token)
    {
        if (batch.Bytes.Length > _store.MaxAppendBytes)
        {
            return PendingAppend.Refused(PartitionError.BatchTooLarge);
        }

        using var held = batch.Buffer.Retain();
        try
        {
            var error = await WhenOpenAsync(token);
            if (error != PartitionError.None)
            {
                return PendingAppend.Refused(error);
            }

            var stream = _stream!;
            using var permit = await (fromReserve
                ? stream.AdmitFromReserveAsync(batch.Bytes.Length, token)
                : stream.AdmitAsync(batch.Bytes.Length, token));
            return Append(batch, permit);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            return PendingAppend.Refused(PartitionError.TimedOut);
        }
        catch (StreamException failure)
        {
            return PendingAppend.Refused(PartitionErrors.Of(failure.Error));
        }
    }

    private PendingAppend Append(in ProducedBatch batch, AppendPermit permit)
    {
        lock (_append)
        {
            if (_phase != PartitionPhase.Open)
            {
                return PendingAppend.Refused(_phase == PartitionPhase.Lost ? PartitionErrors.Of(_lostTo) : PartitionError.NotLeader);
            }

            var stream = _stream!;
            if (batch.IsIdempotent)
            {
                var verdict = _producers.Check(batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence, batch.Count - 1, out var original);
                switch (verdict)
                {
                    case ProducerVerdict.Duplicate:
                        // The original may still be on its way to the WAL: its retry is not answered before it is.
                        var durable = original.LastOffset < stream.ConfirmOffset ? ValueTask.CompletedTask : _inFlight.WaitAsync(original.LastOffset + 1);
                        return new PendingAppend(PartitionError.None, original.BaseOffset, original.Timestamp, durable);
                    case ProducerVerdict.OutOfOrder or ProducerVerdict.Unknown when batch.Behind != PartitionError.None:
                        return PendingAppend.Refused(batch.Behind);
                    case ProducerVerdict.OutOfOrder:
                        return PendingAppend.Refused(PartitionError.OutOfOrderSequence);
                    case ProducerVerdict.StaleEpoch:
                        return PendingAppend.Refused(PartitionError.StaleProducerEpoch);
                    case ProducerVerdict.Unknown or ProducerVerdict.Next:
                        break;
                }
            }

            return AppendNext(batch, stream, permit);
        }
    }

    private PendingAppend AppendNext(in ProducedBatch batch, IStream stream, AppendPermit permit)
    {
        var now = Now();
        var maxTimestamp = batch.StampsAppendTime ? now : batch.MaxTimestamp;
        var baseOffset = stream.NextOffset;

        // All room is taken first: once the WAL has the batch, nothing may fail any more.
        var producer = batch.IsIdempotent ? Reserve_NeedsLock(batch.ProducerId) : null;
        _inFlight.Reserve();
        RecordBatchPatch.SetPosition(batch.Bytes.Span, baseOffset, LeaderEpoch);
        if (batch.StampsAppendTime)
        {
            RecordBatchPatch.SetTimestamps(batch.Bytes.Span, TimestampType.LogAppendTime, now);
        }

        // Between the append and the producers' state nobody may capture a checkpoint: it would lack this batch.
        _appending = true;
        ValueTask durable;
        try
        {
            uint? checksum = batch.Bytes.Length >= Crc32C.WorthJoining ? RecordBatchPatch.ChecksumOf(batch.Bytes.Span) : null;
            var streamTime = maxTimestamp >= 0 ? maxTimestamp : UntimedAge.Of(now);
            durable = stream.AppendAsync(new StreamAppend(batch.Count, streamTime, batch.Bytes, batch.Buffer) { PayloadChecksum = checksum }, permit);
            Note(batch, producer, stream, new ProducerBatch(batch.BaseSequence, batch.Count - 1, baseOffset, maxTimestamp), now);
        }
        finally
        {
            _appending = false;
        }

        return new PendingAppend(PartitionError.None, baseOffset, batch.StampsAppendTime ? now : -1, durable);
    }

    private ProducerEntry Reserve_NeedsLock(long producerId)
    {
        var producer = _producers.Reserve(producerId);
        CountProducers_NeedsLock();
        return producer;
    }

    /// <summary>Remembers a batch that the stream has taken.</summary>
    private void Note(in ProducedBatch batch, ProducerEntry? producer, IStream stream, in ProducerBatch remembered, long now)
    {
        try
        {
            producer?.Append(batch.ProducerEpoch, remembered, now);
            _inFlight.Add(remembered.LastOffset + 1, batch.Bytes.Length);
            Traffic.In(batch.Bytes.Length);
        }
        catch (Exception failure)
        {
            // The WAL has the batch, and this state lacks it: a checkpoint would say so for ever, and a retry be taken twice. Whoever opens
            // the stream next reads what is there.
            PartitionMessages.NotNoted(_logger, Id, failure);
            stream.Lose(new StreamException(StreamError.WalFailed, $"Its partition could not note an append: {failure.Message}", failure));
        }
    }
}
