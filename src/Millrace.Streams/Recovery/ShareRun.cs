using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Streams.Upload;

namespace Millrace.Streams.Recovery;

/// <summary>One recovery of a share, from the first record of the WAL to the completion.</summary>
/// <param name="runtime">Tells the time.</param>
/// <param name="share">What is to be brought.</param>
/// <param name="registry">Hears of damage, and of the end.</param>
/// <param name="pending">Keeps the records until they are uploaded.</param>
/// <param name="uploader">Uploads them.</param>
internal sealed class ShareRun(NodeRuntime runtime, WalShare share, RegistryCalls registry, RecoveredRecords pending, ObjectUploader uploader)
{
    private readonly long _began = runtime.Time.GetTimestamp();

    // By stream: the epoch whose records count, and where the next of them must begin.
    private readonly Dictionary<StreamId, (StreamEpoch Epoch, long Next)> _expected =
        share.Ranges.ToDictionary(range => range.Stream, range => (range.Epoch, range.EndOffset));

    private readonly SortedSet<StreamId> _recovered = [];
    private readonly SortedDictionary<StreamId, string> _faults = [];
    private TimeSpan _committing;
    private TimeSpan _completing;
    private TimeSpan _reading;
    private long _records;
    private long _bytes;

    /// <summary>Takes the next record of the WAL: it is another's, is committed already, or is missing in the objects and kept.</summary>
    public void Take(in StreamRecord record)
    {
        _records++;
        if (!_expected.TryGetValue(record.Stream, out var expected) || record.Epoch != expected.Epoch || record.EndOffset <= expected.Next
            || _faults.ContainsKey(record.Stream))
        {
            return;
        }

        if (record.BaseOffset != expected.Next)
        {
            _faults.Add(record.Stream, $"stream {record.Stream} ends at offset {expected.Next}, and its next record in the WAL is at {record.BaseOffset}");
            return;
        }

        pending.Add(record);
        _expected[record.Stream] = (expected.Epoch, record.EndOffset);
    }

    /// <summary>Has what was taken so far committed, and forgets it.</summary>
    public async Task UploadAsync(CancellationToken token)
    {
        var began = runtime.Time.GetTimestamp();
        var ranges = pending.ToRanges();
        if (ranges.Count > 0)
        {
            var refused = new List<UploadOutcome>();
            foreach (var outcome in await uploader.UploadAsync(ranges, share.WalId, Task.CompletedTask, token))
            {
                Judge(outcome, refused);
            }

            if (refused.Count > 0)
            {
                await JudgeRefusedAsync(refused, token);
            }
        }

        pending.Clear();
        _committing += runtime.Time.GetElapsedTime(began);
    }

    /// <summary>Has the last of it committed, makes the faults known for good, and only then calls the rest complete.</summary>
    public async Task<ShareCompletion> CompleteAsync(CancellationToken token)
    {
        await UploadAsync(token);
        _reading = runtime.Time.GetElapsedTime(_began) - _committing;
        var began = runtime.Time.GetTimestamp();
        foreach (var stream in _faults.Keys)
        {
            await registry.ReportDamageAsync(share.WalId, stream, _expected[stream].Epoch, token);
        }

        var recovered = share with { Ranges = [.. share.Ranges.Select(range => range with { EndOffset = _expected[range.Stream].Next })] };
        var completion = await registry.CompleteRecoveryAsync(recovered, token);
        _completing = runtime.Time.GetElapsedTime(began);
        return completion;
    }

    public RecoveredShare ResultOf(bool isGivenBack) =>
        new(_records, _bytes, _recovered.Count, isGivenBack, new RecoveryTimes(_reading, _committing, _completing));

    public StreamException Incomplete(IReadOnlyList<StreamId> damaged)
    {
        var reasons = damaged.Select(stream => _faults.GetValueOrDefault(stream) ?? $"stream {stream} was found damaged before");
        return new StreamException(
            StreamError.Corrupt,
            $"WAL {share.WalId} cannot be recovered whole, and is kept: {string.Join("; ", reasons)}. "
            + "Everything else of it that is this node's to bring is committed.");
    }

    /// <summary>What was read was committed and is not: whatever has come between, nobody closes a range below it.</summary>
    public StreamException ToBeReadAgain(IReadOnlyList<StreamId> streams) => new(
        StreamError.StorageUnavailable,
        $"WAL {share.WalId} is to be read again: of the streams {string.Join(", ", streams)} more was read than is committed.");

    private void Judge(in UploadOutcome outcome, List<UploadOutcome> refused)
    {
        var stream = outcome.Range.Stream;
        if (outcome.Failure is { } failure)
        {
            _faults.TryAdd(stream, $"the records of stream {stream} from {outcome.Range.StartOffset} on cannot be uploaded: {failure.Message}");
            return;
        }

        switch (outcome.Verdict.Outcome)
        {
            case RangeOutcome.Accepted or RangeOutcome.Cut:
                _recovered.Add(stream);
                _bytes += outcome.Range.Bytes;
                break;
            case RangeOutcome.Void:
                refused.Add(outcome);
                break;
            case RangeOutcome.Gap:
                _faults.TryAdd(stream, $"the registry misses records of stream {stream} before offset {outcome.Range.StartOffset}");
                break;
        }
    }

    /// <summary>What is void is another's by now, or was committed before: unless it is this node's to bring still, and still missing.</summary>
    private async Task JudgeRefusedAsync(List<UploadOutcome> refused, CancellationToken token)
    {
        var shares = await registry.GetSharesAsync(token);
        var open = shares.FirstOrDefault(other => other.WalId == share.WalId)?.Ranges.ToDictionary(range => range.Stream) ?? [];
        foreach (var outcome in refused)
        {
            var (stream, end) = (outcome.Range.Stream, outcome.Range.EndOffset);
            if (open.TryGetValue(stream, out var range) && range.Epoch == outcome.Range.Epoch && range.EndOffset < end)
            {
                _faults.TryAdd(
                    stream, $"the registry refuses the records of stream {stream} from {outcome.Range.StartOffset} on, and ends at {range.EndOffset}");
            }
        }
    }
}
