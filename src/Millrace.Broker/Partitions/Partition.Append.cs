using Millrace.Broker.Partitions.Producers;
using Millrace.Protocol;
using Millrace.Runtime;
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
    /// <param name="batch">Found to be in order.</param>
    /// <param name="fromReserve">Takes room that producers leave untouched: for what groups depend on.</param>
    /// <param name="token">Ends the time that the batch may be parked: while the partition opens or closes, or while the store has no room.</param>
    public async ValueTask<PendingAppend> AppendAsync(ProducedBatch batch, bool fromReserve, CancellationToken token)
    {
        if (batch.Bytes.Length > _store.MaxAppendBytes)
        {
            return PendingAppend.Refused(PartitionError.BatchTooLarge);
        }

        try
        {
            var error = await WhenOpenAsync(token);
            if (error != PartitionError.None)
            {
                return PendingAppend.Refused(error);
            }

            using var permit = await (fromReserve
                ? _store.AdmitFromReserveAsync(batch.Bytes.Length, token)
                : _store.AdmitAsync(batch.Bytes.Length, token));
            return Append(batch, permit);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            Missed(batch);
            return PendingAppend.Refused(PartitionError.TimedOut);
        }
        catch (StreamException failure)
        {
            return PendingAppend.Refused(PartitionErrors.Of(failure.Error));
        }
    }

    private void Missed(in ProducedBatch batch)
    {
        if (batch.IsIdempotent)
        {
            lock (_append)
            {
                _missed.Add(batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence);
            }
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
                    case ProducerVerdict.OutOfOrder:
                        return PendingAppend.Refused(PartitionError.OutOfOrderSequence);
                    case ProducerVerdict.StaleEpoch:
                        return PendingAppend.Refused(PartitionError.StaleProducerEpoch);
                    case ProducerVerdict.Unknown when !_missed.TryBegin(batch.ProducerId, batch.ProducerEpoch, batch.BaseSequence):
                        return PendingAppend.Refused(PartitionError.OutOfOrderSequence);
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
        RecordBatchPatch.SetPosition(batch.Bytes.Span, baseOffset, LeaderEpoch);
        if (batch.StampsAppendTime)
        {
            RecordBatchPatch.SetTimestamps(batch.Bytes.Span, TimestampType.LogAppendTime, now);
        }

        _inFlight.Add(baseOffset + batch.Count, batch.Bytes.Length, maxTimestamp);

        // Between the append and the producers' state nobody may capture a checkpoint: it would lack this batch.
        _appending = true;
        ValueTask durable;
        try
        {
            uint? checksum = batch.Bytes.Length >= Crc32C.WorthJoining ? RecordBatchPatch.ChecksumOf(batch.Bytes.Span) : null;
            var streamTime = maxTimestamp >= 0 ? maxTimestamp : UntimedAge.Of(now);
            durable = stream.AppendAsync(new StreamAppend(batch.Count, streamTime, batch.Bytes, batch.Buffer) { PayloadChecksum = checksum }, permit);
            if (batch.IsIdempotent)
            {
                var remembered = new ProducerBatch(batch.BaseSequence, batch.Count - 1, baseOffset, maxTimestamp);
                _producers.Append(batch.ProducerId, batch.ProducerEpoch, remembered, now);
            }
        }
        finally
        {
            _appending = false;
        }

        return new PendingAppend(PartitionError.None, baseOffset, batch.StampsAppendTime ? now : -1, durable);
    }
}
