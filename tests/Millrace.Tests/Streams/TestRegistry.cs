using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Tests.Streams;

/// <summary>The registry's contract in memory, with the faults that a test asks for.</summary>
internal sealed class TestRegistry : IStreamRegistry
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<StreamId, Entry> _streams = [];
    private readonly Dictionary<ObjectId, CommittedUpload> _commits = [];
    private readonly HashSet<NodeIncarnation> _fenced = [];
    private readonly SortedSet<StreamId> _damaged = [];
    private readonly Dictionary<Guid, NodeIncarnation> _wals = [];
    private long _nextStream = 1;
    private long _nextObject = 1;

    /// <summary>Called at the beginning of each call with its name; may throw or wait.</summary>
    public Func<string, ValueTask> Before { get; set; } = _ => default;

    /// <summary>Called after a commit took effect, before its answer: may throw, which loses the answer.</summary>
    public Action AfterCommit { get; set; } = () => { };

    /// <summary>Called when a stream was closed to be handed over, before the answer: whoever plays the controller has to appoint its next owner.</summary>
    public Action<StreamId>? HandedOver { get; set; }

    /// <summary>What an upload is to close is not closed by it.</summary>
    public bool RefusesCloses { get; set; }

    /// <summary>Ranges are answered as when an answer was lost, and others have moved what was committed before it was asked for again.</summary>
    public bool HasMovedRanges { get; set; }

    /// <summary>In which of its owner's WALs a stream is opened.</summary>
    public Func<StreamId, WalKind?> WalOf { get; set; } = _ => null;

    public int Commits { get; private set; }

    public IReadOnlyList<StreamId> Streams
    {
        get
        {
            lock (_lock)
            {
                return [.. _streams.Keys];
            }
        }
    }

    /// <summary>The streams that were reported as damaged.</summary>
    public IReadOnlyList<StreamId> Damaged
    {
        get
        {
            lock (_lock)
            {
                return [.. _damaged];
            }
        }
    }

    public void RegisterWal(Guid wal, NodeIncarnation node) => _wals[wal] = node;

    public void Fence(NodeIncarnation node)
    {
        lock (_lock)
        {
            _fenced.Add(node);
        }
    }

    public void Delete(StreamId stream)
    {
        lock (_lock)
        {
            _streams.Remove(stream);
        }
    }

    public (long Start, long End, IReadOnlyList<ObjectRange> Ranges) Describe(StreamId stream)
    {
        lock (_lock)
        {
            var entry = _streams[stream];
            return (entry.Start, entry.End, [.. entry.Ranges]);
        }
    }

    /// <summary>An operator gives up what the open range of a stream may hold in a WAL.</summary>
    public void GiveUp(StreamId stream)
    {
        lock (_lock)
        {
            _streams[stream].OpenBy = null;
        }
    }

    /// <summary>Damages the registry's mind: the stream ends earlier than it did.</summary>
    public void Forget(StreamId stream)
    {
        lock (_lock)
        {
            _streams[stream].End--;
        }
    }

    /// <summary>The registry has committed more than it told anybody.</summary>
    public void Commit(StreamId stream, int records)
    {
        lock (_lock)
        {
            _streams[stream].End += records;
        }
    }

    public async ValueTask<StreamId> CreateAsync(NodeIncarnation node, CancellationToken token)
    {
        await EnterAsync(nameof(CreateAsync), node);
        lock (_lock)
        {
            var id = new StreamId(_nextStream++);
            _streams.Add(id, new Entry());
            return id;
        }
    }

    public async ValueTask<StreamOpening> OpenAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token)
    {
        await EnterAsync(nameof(OpenAsync), node);
        lock (_lock)
        {
            var entry = Find(stream);
            if (entry.Epochs.Count > 0 && entry.Epochs[^1].Epoch > epoch)
            {
                throw new StreamException(StreamError.Fenced, "There is a newer epoch");
            }

            if (entry.OpenBy is { } former && (former != node || entry.Epochs[^1].Epoch != epoch))
            {
                throw new StreamException(StreamError.Incomplete, $"The range of {former} is open");
            }

            if (entry.OpenBy is null)
            {
                entry.OpenBy = node;
                entry.Epochs.Add(new EpochStart(epoch, entry.End));
            }

            return new StreamOpening(entry.Start, entry.End, [.. entry.Epochs], entry.Checkpoint) { RangeCount = entry.Ranges.Count, Wal = WalOf(stream) };
        }
    }

    public async ValueTask<StreamOpening?> FindOpeningAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token)
    {
        await Before(nameof(FindOpeningAsync));
        lock (_lock)
        {
            return !_fenced.Contains(node) && _streams.TryGetValue(stream, out var entry) && entry.OpenBy == node && entry.Epochs[^1].Epoch == epoch
                ? new StreamOpening(entry.Start, entry.End, [.. entry.Epochs], entry.Checkpoint) { RangeCount = entry.Ranges.Count, Wal = WalOf(stream) }
                : null;
        }
    }

    public async ValueTask CloseAsync(NodeIncarnation node, StreamClose close, CancellationToken token)
    {
        await EnterAsync(nameof(CloseAsync), node);
        lock (_lock)
        {
            var entry = Find(close.Stream);
            Invariant.Check(entry.End == close.EndOffset);
            entry.OpenBy = null;
        }

        OnClosed(close);
    }

    public async ValueTask TrimAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long startOffset, CancellationToken token)
    {
        await EnterAsync(nameof(TrimAsync), node);
        lock (_lock)
        {
            var entry = Find(stream);
            Invariant.Check(startOffset <= entry.End);
            entry.Start = Math.Max(entry.Start, startOffset);
            entry.Ranges.RemoveAll(range => range.EndOffset <= entry.Start);
        }
    }

    public async ValueTask<ObjectId> PrepareAsync(NodeIncarnation node, int count, CancellationToken token)
    {
        await EnterAsync(nameof(PrepareAsync), node);
        lock (_lock)
        {
            var first = new ObjectId(_nextObject);
            _nextObject += count;
            return first;
        }
    }

    public async ValueTask<CommittedUpload> CommitAsync(UploadCommit commit, CancellationToken token)
    {
        await EnterAsync(nameof(CommitAsync), commit.Node);
        CommittedUpload? result;
        var isNew = false;
        lock (_lock)
        {
            if (!_commits.TryGetValue(commit.Ranges[0].Object, out result))
            {
                var writer = commit.WalId is { } wal ? _wals[wal] : commit.Node;
                IReadOnlyList<RangeVerdict> verdicts = [.. commit.Ranges.Select(range => Judge(range, writer))];
                verdicts = HasMovedRanges ? [.. verdicts.Select(verdict => verdict with { Outcome = RangeOutcome.Void })] : verdicts;
                result = new CommittedUpload(
                    verdicts,
                    commit.Closes.Where(TryClose).Select(close => close.Stream).ToHashSet(),
                    commit.PreparesNext ? new ObjectId(_nextObject++) : null);
                _commits.Add(commit.Ranges[0].Object, result);
                Commits++;
                isNew = true;
            }
        }

        foreach (var close in commit.Closes.Where(close => isNew && result.Closed.Contains(close.Stream)))
        {
            OnClosed(close);
        }

        AfterCommit();
        return result;

        bool TryClose(StreamClose close)
        {
            if (RefusesCloses || !_streams.TryGetValue(close.Stream, out var entry) || entry.OpenBy != commit.Node || entry.End != close.EndOffset)
            {
                return false;
            }

            entry.OpenBy = null;
            return true;
        }
    }

    public async ValueTask<IReadOnlyList<ObjectRange>> GetRangesAsync(StreamId stream, long offset, int limit, bool asOfNow, CancellationToken token)
    {
        await Before(nameof(GetRangesAsync));
        lock (_lock)
        {
            return [.. Find(stream).Ranges.Where(range => range.EndOffset > offset).Take(limit)];
        }
    }

    public async ValueTask<long?> GetCommittedEndAsync(StreamId stream, CancellationToken token)
    {
        await Before(nameof(GetCommittedEndAsync));
        lock (_lock)
        {
            return _streams.TryGetValue(stream, out var entry) ? entry.End : null;
        }
    }

    public async ValueTask<long?> GetRecoverableEndAsync(Guid walId, StreamId stream, StreamEpoch epoch, CancellationToken token)
    {
        await Before(nameof(GetRecoverableEndAsync));
        lock (_lock)
        {
            return _streams.TryGetValue(stream, out var entry) && entry.OpenBy == _wals[walId] && entry.Epochs[^1].Epoch == epoch ? entry.End : null;
        }
    }

    public async ValueTask ReportDamageAsync(NodeIncarnation node, Guid? walId, StreamId stream, StreamEpoch epoch, CancellationToken token)
    {
        await EnterAsync(nameof(ReportDamageAsync), node);
        lock (_lock)
        {
            _damaged.Add(stream);
        }
    }

    /// <summary>All that is open in the name of a fenced incarnation is whoever's asks.</summary>
    public async ValueTask<IReadOnlyList<WalShare>> GetSharesAsync(NodeIncarnation node, CancellationToken token)
    {
        await EnterAsync(nameof(GetSharesAsync), node);
        lock (_lock)
        {
            return
            [
                .. _wals.Where(wal => _fenced.Contains(wal.Value)).Select(wal => new WalShare(
                    wal.Key,
                    [
                        .. _streams.Where(stream => stream.Value.OpenBy == wal.Value)
                            .Select(stream => new ShareRange(stream.Key, stream.Value.Epochs[^1].Epoch, stream.Value.End)),
                    ])),
            ];
        }
    }

    public async ValueTask<ShareCompletion> CompleteRecoveryAsync(NodeIncarnation node, WalShare share, CancellationToken token)
    {
        await EnterAsync(nameof(CompleteRecoveryAsync), node);
        lock (_lock)
        {
            var named = share.Ranges.Where(range =>
                _streams.TryGetValue(range.Stream, out var entry) && entry.OpenBy == _wals[share.WalId] && entry.Epochs[^1].Epoch == range.Epoch).ToArray();
            var whole = named.Where(range => !_damaged.Contains(range.Stream)).ToArray();
            var uncommitted = whole.Where(range => _streams[range.Stream].End < range.EndOffset).Select(range => range.Stream).ToArray();
            foreach (var range in whole.Where(range => !uncommitted.Contains(range.Stream)))
            {
                _streams[range.Stream].OpenBy = null;
            }

            return new ShareCompletion(
                [.. named.Select(range => range.Stream).Where(_damaged.Contains)],
                uncommitted,
                IsRetired: !_streams.Values.Any(entry => entry.OpenBy == _wals[share.WalId]));
        }
    }

    private void OnClosed(StreamClose close)
    {
        if (close.HandsOver)
        {
            HandedOver?.Invoke(close.Stream);
        }
    }

    private RangeVerdict Judge(ObjectRange range, NodeIncarnation writer)
    {
        if (!_streams.TryGetValue(range.Stream, out var entry) || entry.OpenBy != writer)
        {
            return new(RangeOutcome.Void, range.StartOffset);
        }

        if (range.StartOffset > entry.End)
        {
            return new(RangeOutcome.Gap, range.StartOffset);
        }

        if (range.EndOffset <= entry.End && range.EndOffset > range.StartOffset)
        {
            return new(RangeOutcome.Void, range.StartOffset);
        }

        var start = entry.End;
        if (range.EndOffset > start)
        {
            entry.Ranges.Add(range with { StartOffset = start });
        }

        entry.Checkpoint = range.HasCheckpoint ? range with { StartOffset = start } : entry.Checkpoint;
        entry.End = range.EndOffset;
        return new(start == range.StartOffset ? RangeOutcome.Accepted : RangeOutcome.Cut, start);
    }

    private async ValueTask EnterAsync(string call, NodeIncarnation node)
    {
        await Before(call);
        lock (_lock)
        {
            if (_fenced.Contains(node))
            {
                throw new StreamException(StreamError.Fenced, $"{node} is fenced");
            }
        }
    }

    private Entry Find(StreamId stream) =>
        _streams.TryGetValue(stream, out var entry) ? entry : throw new StreamException(StreamError.Unknown, $"No stream {stream}");

    private sealed class Entry
    {
        public long Start { get; set; }

        public long End { get; set; }

        public NodeIncarnation? OpenBy { get; set; }

        public List<EpochStart> Epochs { get; } = [];

        public List<ObjectRange> Ranges { get; } = [];

        public ObjectRange? Checkpoint { get; set; }
    }
}
