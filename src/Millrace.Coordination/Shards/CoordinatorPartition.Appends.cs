namespace Millrace.Coordination.Shards;

/// <content>How what operations say comes to the log, and answers to those who wait for them.</content>
internal sealed partial class CoordinatorPartition<TShard, TRecord>
{
    private void Gather(CoordinatorResult<TRecord> result)
    {
        var before = _batch.Count;
        foreach (var record in result.Records)
        {
            var count = _batch.Count;
            _batch.Add(record);
            if (_batch.Size <= _writer.MaxBatchBytes)
            {
                continue;
            }

            // The batch is full. It goes without this operation's records, or with those before this one.
            var full = result.MaySplit ? count : before;
            before = 0;
            if (full > 0)
            {
                Append(full);
            }

            if (_batch.Size > _writer.MaxBatchBytes)
            {
                throw new InvalidOperationException($"One operation appends {_batch.Size} bytes, and a batch may have {_writer.MaxBatchBytes}");
            }
        }

        foreach (var record in result.Records)
        {
            _shard!.Replay(record);
        }

        _answers.AddRange(result.Answers);
    }

    private void Flush()
    {
        if (_batch.Count > 0)
        {
            Append(_batch.Count);
        }

        if (_answers.Count == 0)
        {
            return;
        }

        if (_underWay.Count > 0)
        {
            // What these answers saw is durable when the newest append is.
            _newest!.Answers.AddRange(_answers);
        }
        else
        {
            _answers.ForEach(Deliver);
        }

        _answers.Clear();
    }

    private void Append(int count, bool isRewritten = false)
    {
        // What can fail comes first: the shard waits for all that is under way, and would for ever for what never began.
        var records = _batch.Take(count);
        List<Reply> answers = [];
        var append = new AppendUnderWay(count, _answers) { IsRewritten = isRewritten };
        Action settle = () => OnSettled(append);
        _underWay.EnsureCapacity(_underWay.Count + 1);
        Reserve();
        _underWay.Enqueue(append);
        (_newest, _answers) = (append, answers);
        _ = AppendAsync(append, records, settle);
        _batch.Drop(count);
        _length.Appended(count);
    }

    private async Task AppendAsync(AppendUnderWay append, EncodedRecord[] records, Action settle)
    {
        try
        {
            append.BaseOffset = await _writer.AppendAsync(records, _runtime.Time.GetUtcNow().ToUnixTimeMilliseconds());
        }
        catch (CoordinatorException refused)
        {
            if (refused.Error == CoordinatorError.NotHere)
            {
                CoordinationMessages.NotHere(_logger, _name, refused.Message);
            }
            else
            {
                CoordinationMessages.AppendFailed(_logger, _name, refused.Error, refused.Message);
            }

            append.Error = refused.Error;
        }
        catch (Exception failure)
        {
            CoordinationMessages.AppendFault(_logger, _name, failure);
            append.Error = CoordinatorError.Unavailable;
        }

        Post(settle, isReserved: true);
    }

    private void OnSettled(AppendUnderWay append)
    {
        append.IsSettled = true;
        // The continuations of two appends may run in either order; the log's order is the queue's.
        while (_underWay.TryPeek(out var first) && first.IsSettled)
        {
            _underWay.Dequeue();
            if (_phase == ShardPhase.Active)
            {
                if (first.Error is { } failed)
                {
                    Discard(failed);
                }
                else
                {
                    first.Answers.ForEach(Deliver);
                    if (first.IsRewritten)
                    {
                        _rewrittenFrom ??= first.BaseOffset;
                        RewritePart();
                    }
                }
            }
        }

        if (_phase == ShardPhase.Loading)
        {
            Read();
        }
    }

    private void Deliver(Reply reply)
    {
        _faultsInARow = 0;
        Settle(reply);
        reply.Deliver();
    }

    private void Settle(Reply reply)
    {
        _owed.Remove(reply.Owed!);
        reply.Owed = null;
    }
}
