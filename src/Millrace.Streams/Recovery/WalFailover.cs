using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;
using Millrace.Streams.Wal;

namespace Millrace.Streams.Recovery;

/// <summary>
/// Commits what a fenced incarnation had acknowledged and not yet uploaded: reads its sealed WAL, leaves out what is committed
/// already, uploads the rest in bounded memory, and tells the registry that the incarnation's ranges are complete.
/// </summary>
/// <remarks>
/// The caller has fenced the incarnation in the registry before it took the WAL over, so that committed ends no longer move behind
/// its back. May be killed and repeated at any point, or run twice at once: what one has committed the other leaves out, or is told
/// that it counts already. Threading: one recovery per instance call; instances share nothing.
/// </remarks>
public sealed class WalFailover(NodeRuntime runtime, StreamsOptions options, UploadTarget target)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<WalFailover>();

    /// <summary>Recovers one WAL and gives its space back; should the medium refuse that, it is left to the next start.</summary>
    /// <exception cref="StreamException">
    /// Fenced: the recoverer itself was fenced. Corrupt: records that could have been acknowledged are missing from the WAL; the registry knows
    /// whose, the other streams are complete, and the WAL is kept.
    /// </exception>
    public async Task<WalFailoverResult> RecoverAsync(IWalRecovery wal, CancellationToken token)
    {
        var registry = new RegistryCalls(target.Node, target.Registry, new Retry(runtime, options, _logger));
        using var pending = new RecoveredRecords(target.Buffers);
        var run = new Run(this, wal.Descriptor.Id, registry, pending);
        await foreach (var record in wal.ReadAsync(token))
        {
            await run.TakeAsync(record, token);
            if (pending.HeldBytes >= options.UploadBytes)
            {
                await run.UploadAsync(token);
            }
        }

        await run.UploadAsync(token);
        await run.ReportDamageAsync(token);
        var damaged = await registry.CompleteRecoveryAsync(wal.Descriptor.Id, token);
        if (damaged.Count > 0)
        {
            throw run.Incomplete(damaged);
        }

        try
        {
            await wal.CompleteAsync(token);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectStorageException or ObjectLogException)
        {
            // Everything in it is committed, and the registry knows; only its space is missing. Nothing waits for that.
            StreamsMessages.NotGivenBack(_logger, wal.Descriptor.Id, failure.Message);
        }

        StreamsMessages.Recovered(_logger, wal.Descriptor.Id, run.Result.Records, run.Result.Bytes, run.Result.Streams);
        return run.Result;
    }

    /// <summary>The state of one recovery.</summary>
    private sealed class Run(WalFailover failover, Guid wal, RegistryCalls registry, RecoveredRecords pending)
    {
        // Where the next record of each range must begin; null for a range that is complete without this WAL.
        private readonly SortedDictionary<(StreamId, StreamEpoch), long?> _expected = [];
        private readonly SortedSet<StreamId> _recovered = [];
        private readonly SortedDictionary<StreamId, (StreamEpoch Epoch, string What)> _faults = [];
        private long _records;
        private long _bytes;

        public WalFailoverResult Result => new(_records, _bytes, _recovered.Count);

        public async ValueTask TakeAsync(StreamRecord record, CancellationToken token)
        {
            _records++;
            if (!_expected.TryGetValue((record.Stream, record.Epoch), out var expected))
            {
                expected = await registry.GetRecoverableEndAsync(wal, record.Stream, record.Epoch, token);
                _expected.Add((record.Stream, record.Epoch), expected);
                if (expected is null)
                {
                    StreamsMessages.PassedOver(failover._logger, wal, record.Stream, record.Epoch);
                }
            }

            if (expected is null || record.EndOffset <= expected || _faults.ContainsKey(record.Stream))
            {
                return;
            }

            if (record.BaseOffset != expected)
            {
                _faults.Add(
                    record.Stream,
                    (record.Epoch, $"stream {record.Stream} ends at offset {expected}, and its next record in the WAL is at {record.BaseOffset}"));
                return;
            }

            pending.Add(record);
            _expected[(record.Stream, record.Epoch)] = record.EndOffset;
        }

        public async Task UploadAsync(CancellationToken token)
        {
            var ranges = pending.ToRanges();
            if (ranges.Count > 0)
            {
                var uploader = new ObjectUploader(failover.Runtime, failover.Options, failover.Target, failover._logger);
                foreach (var outcome in await uploader.UploadAsync(ranges, wal, Task.CompletedTask, token))
                {
                    await JudgeAsync(outcome, token);
                }
            }

            pending.Clear();
        }

        /// <summary>Makes the faults known for good, before the rest is called complete.</summary>
        public async Task ReportDamageAsync(CancellationToken token)
        {
            foreach (var (stream, (epoch, _)) in _faults)
            {
                await registry.ReportDamageAsync(wal, stream, epoch, token);
            }
        }

        public StreamException Incomplete(IReadOnlyList<StreamId> damaged)
        {
            var reasons = damaged.Select(stream => _faults.TryGetValue(stream, out var fault) ? fault.What : $"stream {stream} was found damaged before");
            return new StreamException(
                StreamError.Corrupt, $"WAL {wal} cannot be recovered whole, and is kept: {string.Join("; ", reasons)}. Everything else in it is committed.");
        }

        private async ValueTask JudgeAsync(UploadOutcome outcome, CancellationToken token)
        {
            var (stream, end) = (outcome.Range.Stream, outcome.Range.EndOffset);
            if (outcome.Failure is { } failure)
            {
                _faults.TryAdd(
                    stream, (outcome.Range.Epoch, $"the records of stream {stream} from {outcome.Range.StartOffset} on cannot be uploaded: {failure.Message}"));
                return;
            }

            switch (outcome.Verdict.Outcome)
            {
                case RangeOutcome.Accepted or RangeOutcome.Cut:
                    _recovered.Add(stream);
                    _bytes += outcome.Range.Bytes;
                    break;
                case RangeOutcome.Void when await registry.GetRecoverableEndAsync(wal, stream, outcome.Range.Epoch, token) is { } committed && committed < end:
                    _faults.TryAdd(
                        stream,
                        (outcome.Range.Epoch,
                            $"the registry refuses the records of stream {stream} from {outcome.Range.StartOffset} on, and ends at {committed}"));
                    break;
                case RangeOutcome.Void:
                    break;
                case RangeOutcome.Gap:
                    _faults.TryAdd(
                        stream, (outcome.Range.Epoch, $"the registry misses records of stream {stream} before offset {outcome.Range.StartOffset}"));
                    break;
            }
        }
    }

    private NodeRuntime Runtime => runtime;

    private StreamsOptions Options => options;

    private UploadTarget Target => target;
}
