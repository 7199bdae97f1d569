using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <content>
/// How the log stays proportional to what the shard keeps: its live records are appended once more, part by part and between the operations, and then
/// all before them is trimmed. Where none is live, it is all before the newest append, which nobody needs either, and which says where. Any key has either
/// a record among those, or a later one of an operation; so what is read from there is the same state.
/// </content>
internal sealed partial class CoordinatorPartition<TShard, TRecord>
{
    // A turn must not take long, and operations go between the parts.
    private const int RecordsPerPart = 2_000;

    private readonly LogLength _length;
    private IEnumerator<TRecord>? _rewriting;
    private long? _rewrittenFrom;
    private bool _isPaused;
    private bool _isEnding;
    private bool _isTrimming;

    private void RewriteIfTooLong()
    {
        if (_isPaused && _rewriting is not null)
        {
            RewritePart();
        }
        else if (_phase == ShardPhase.Active && _rewriting is null && !_isTrimming && _length.IsTooLong(_shard!.LiveRecordCount) && !_writer.IsBusy)
        {
            var isEmpty = _shard.LiveRecordCount == 0;
            if (isEmpty && _underWay.Count == 0)
            {
                // Nothing says where the log ends: the next append does.
                return;
            }

            _rewriting = _shard.LiveRecords().GetEnumerator();
            _rewrittenFrom = null;
            _isEnding = false;
            _length.Mark(isEmpty ? _newest!.Count : 0);
            RewritePart();
        }
    }

    /// <summary>Appends the next part, unless the log has enough to do: then it is tried again after the next operation. One is under way at a time.</summary>
    private void RewritePart()
    {
        if (_isEnding)
        {
            EndRewriting();
            return;
        }

        _isPaused = _writer.IsBusy;
        if (_isPaused)
        {
            return;
        }

        // Operations that are applied already belong before it: a part is of the state as it is now.
        Flush();
        try
        {
            while (_batch.Count < RecordsPerPart && _rewriting!.MoveNext())
            {
                var count = _batch.Count;
                _batch.Add(_rewriting.Current);
                if (_batch.Size > _writer.MaxBatchBytes && count > 0)
                {
                    // The last one goes with what comes next.
                    Append(count, isRewritten: true);
                    return;
                }
            }
        }
        catch (Exception failure) when (failure is not InvariantViolationException)
        {
            CoordinationMessages.OperationFailed(_logger, _name, failure);
            _faultsInARow++;
            Discard(CoordinatorError.Loading);
            return;
        }

        if (_batch.Count > 0)
        {
            Append(_batch.Count, isRewritten: true);
        }
        else if (_underWay.Count > 0)
        {
            // What was left over of a part is in one of those; what comes behind is none of ours.
            _isEnding = true;
            _newest!.IsRewritten = true;
        }
        else
        {
            EndRewriting();
        }
    }

    /// <summary>Everything live stands behind the first part, durably.</summary>
    private void EndRewriting()
    {
        _rewriting!.Dispose();
        _rewriting = null;
        if (_rewrittenFrom is not { } from)
        {
            // While it was paused, everything was deleted.
            return;
        }

        _isTrimming = true;
        _length.CutAtMark();
        _ = _runtime.Spawn("coordinator-trim", stopping => TrimAsync(from, stopping));
    }

    private async Task TrimAsync(long from, CancellationToken stopping)
    {
        var pauses = new BackOff(_runtime, FirstLoadPause, LongestLoadPause);
        while (!_goneToken.IsCancellationRequested)
        {
            try
            {
                await _writer.TrimAsync(from, _goneToken);
                CoordinationMessages.Rewritten(_logger, _name, from);
                Post(() => _isTrimming = false);
                return;
            }
            catch (OperationCanceledException) when (_goneToken.IsCancellationRequested)
            {
                return;
            }
            catch (CoordinatorException refused) when (refused.Error == CoordinatorError.NotHere)
            {
                // Who leads it next finds a log that is too long, and does the same.
                return;
            }
            catch (Exception failure) when (failure is CoordinatorException or OutOfMemoryException)
            {
                CoordinationMessages.TrimFailed(_logger, _name, from, failure.Message);
            }

            await pauses.PauseAsync(stopping);
        }
    }
}
