using System.Buffers;
using Millrace.Broker.Errors;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Partitions.Lookup;
using Millrace.Broker.Purgatory;
using Millrace.Metadata;
using Millrace.Protocol.Primitives;
using Millrace.Protocol.Records;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Following;

/// <summary>
/// A partition that another broker leads, as consumers of this one's rack read it: what is committed from its objects, the newest from what the leader tells,
/// once for all of them, and what is neither, at the leader.
/// </summary>
/// <remarks>
/// What is durable never changes, so that whatever is told from here is right, though it may not be all there is. What is not known here for certain (that an
/// offset is out of range, that a log has another history) the leader says. Where the leader cannot be heard for long, readers are sent there.
/// Threading: any thread.
/// </remarks>
internal sealed class FollowedPartition : IReadablePartition
{
    /// <summary>A leader that serves is heard every second. After so long readers had better ask it themselves.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(5);

    // It goes to memory that nobody has accounted, and readers come again for the rest.
    private const int MostAsked = 1 << 20;

    private readonly NodeRuntime _runtime;
    private readonly LeaderLinks _links;
    private readonly ICommittedStream _committed;
    private readonly RackMetrics _metrics;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _over = new();
    private volatile FollowedLeader _leader;
    private volatile LeaderWord? _word;
    private TaskCompletionSource _readOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _readTo = -1;
    private long _heardAt;
    private long _usedAt;

    /// <param name="runtime">The node's.</param>
    /// <param name="id">The partition's name.</param>
    /// <param name="leader">Who leads it.</param>
    /// <param name="committed">What its objects hold.</param>
    /// <param name="tail">Holds its newest batches; owned from now on.</param>
    /// <param name="links">The ways to leaders.</param>
    /// <param name="metrics">Counts where records come from.</param>
    public FollowedPartition(
        NodeRuntime runtime, TopicIdPartition id, FollowedLeader leader, ICommittedStream committed, FollowedTail tail, LeaderLinks links, RackMetrics metrics)
    {
        (_runtime, Id, _leader, _committed, Tail, _links, _metrics) = (runtime, id, leader, committed, tail, links, metrics);
        _heardAt = _usedAt = runtime.Time.GetTimestamp();
        Over = _over.Token;
    }

    public TopicIdPartition Id { get; }

    public PartitionProgress Progress { get; } = new();

    /// <summary>Its newest batches. Whoever hears the leader changes it.</summary>
    public FollowedTail Tail { get; }

    /// <summary>Who leads it now.</summary>
    public FollowedLeader Leader => _leader;

    /// <summary>What the leader has told last; null before it has told anything.</summary>
    public LeaderWord? Word => _word;

    /// <summary>Cancelled when it is followed no more.</summary>
    public CancellationToken Over { get; }

    /// <summary>How long ago somebody read it.</summary>
    public TimeSpan Idle => _runtime.Time.GetElapsedTime(Interlocked.Read(ref _usedAt));

    /// <summary>Waits until the leader has told anything, or it is followed no more.</summary>
    public Task WhenHeardAsync(CancellationToken token) => _heard.Task.OrCancelled(token);

    /// <summary>How much is here that nobody has read yet, in bytes: what comes before it is wanted takes the place of what is.</summary>
    public long UnreadBytes => Tail.BytesFrom(Interlocked.Read(ref _readTo));

    /// <summary>Completes when somebody has read on.</summary>
    public Task WhenReadOn()
    {
        lock (_lock)
        {
            return _readOn.Task;
        }
    }

    /// <summary>Somebody reads it: it is kept.</summary>
    public void Use() => Interlocked.Exchange(ref _usedAt, _runtime.Time.GetTimestamp());

    public void CountOut(in PartitionRead read) => _metrics.Served(read.Source!.Value, read.Bytes);

    public async ValueTask<PartitionRead> ReadAsync(PartitionFetch fetch, CancellationToken token)
    {
        Use();
        var leader = _leader;
        if (Over.IsCancellationRequested || _word is not { } word)
        {
            return PartitionRead.Failed(PartitionError.NotLeader);
        }

        if (fetch.CurrentLeaderEpoch >= 0 && fetch.CurrentLeaderEpoch != leader.Epoch)
        {
            return PartitionRead.Failed(fetch.CurrentLeaderEpoch < leader.Epoch ? PartitionError.FencedLeaderEpoch : PartitionError.UnknownLeaderEpoch);
        }

        if (fetch.LastFetchedEpoch >= 0 || fetch.Offset < word.LogStartOffset || fetch.Offset > word.HighWatermark)
        {
            return await AskAsync(leader, fetch, token);
        }

        CountRead(fetch.Offset);

        // A leader that was not heard yet may know that what the former one told, and is in no object, was given up. It is heard soon: until then readers
        // wait, since those who ask it are told to stay there. And a broker that hears nobody does not know of the next leader either.
        if (fetch.Offset >= word.CommittedOffset && _runtime.Time.GetElapsedTime(Interlocked.Read(ref _heardAt)) > LongestSilence)
        {
            return PartitionRead.Failed(PartitionError.NotLeader);
        }

        var isOfLeader = word.Epoch >= leader.Epoch;
        if (fetch.Offset >= (isOfLeader ? EndOf(word) : word.CommittedOffset))
        {
            // The next that comes is it.
            return new PartitionRead { HighWatermark = word.HighWatermark, LogStartOffset = word.LogStartOffset };
        }

        if (fetch.MaxBytes <= 0 && !fetch.AtLeastOne)
        {
            return new PartitionRead { HighWatermark = word.HighWatermark, LogStartOffset = word.LogStartOffset, Oversized = true, HasMore = true };
        }

        if (isOfLeader && Tail.TryRead(fetch.Offset, fetch.MaxBytes) is { } newest)
        {
            return Shape(newest, fetch, FollowedSource.Tail);
        }

        return await ReadCommittedAsync(fetch, word, token) is { } committed
            ? Shape(committed, fetch, FollowedSource.Objects)
            : await AskAsync(leader, fetch, token);
    }

    /// <summary>The cluster's image has it so.</summary>
    public void LedBy(FollowedLeader leader)
    {
        FollowedLeader former;
        lock (_lock)
        {
            former = _leader;
            if (former.Is(leader))
            {
                return;
            }

            _leader = leader;
        }

        former.End();
    }

    /// <summary>The leader has told what comes next; or no records, where it was asked for none.</summary>
    /// <param name="answer">Without an error.</param>
    /// <param name="limit">Of the memory for the newest batches, in bytes.</param>
    /// <exception cref="ProtocolException">The batches are none, or do not follow.</exception>
    /// <exception cref="OutOfMemoryException">There is none for the batches.</exception>
    public void Take(FollowPartitionResponse answer, long limit)
    {
        var (bytes, isNews) = (0, false);
        try
        {
            lock (_lock)
            {
                isNews = Hear_NeedsLock(answer);
                if (answer.LeaderEpoch == _word!.Epoch)
                {
                    if (answer.Offset != Tail.End)
                    {
                        Tail.Reset(answer.Offset);
                        isNews = true;
                    }

                    bytes = Tail.Append(answer.Records ?? default, limit);
                }

                NoteHeard();
            }
        }
        finally
        {
            Tell(bytes, isNews);
        }
    }

    /// <summary>Takes batches that the leader has told the place of, and that were read there.</summary>
    /// <param name="epoch">Of the leader that has told it; nothing happens if there is a newer one by now.</param>
    /// <param name="offset">Where they begin; nothing happens if something else comes next by now.</param>
    /// <param name="records">Whole batches.</param>
    /// <param name="limit">Of the memory for the newest batches, in bytes.</param>
    /// <exception cref="ProtocolException">The batches are none, or do not follow.</exception>
    /// <exception cref="OutOfMemoryException">There is none for the batches.</exception>
    public void Take(int epoch, long offset, ReadOnlySequence<byte> records, long limit)
    {
        int bytes;
        lock (_lock)
        {
            bytes = _word!.Epoch == epoch && Tail.End == offset ? Tail.Append(records, limit) : 0;
        }

        Progress.Advance(bytes);
    }

    /// <summary>As <see cref="Take(FollowPartitionResponse, long)"/>, where no records are asked for, since readers are to have them from objects.</summary>
    /// <param name="answer">Without an error.</param>
    /// <param name="onlyObjects">Nothing is ever held: what is readable ends where objects do.</param>
    public void TakeWord(FollowPartitionResponse answer, bool onlyObjects)
    {
        bool isNews;
        lock (_lock)
        {
            isNews = Hear_NeedsLock(answer);
            NoteHeard();
            if (onlyObjects ? _word!.CommittedOffset != Tail.End : _word!.CommittedOffset > Tail.End)
            {
                Tail.Reset(_word.CommittedOffset);
                isNews = true;
            }
        }

        Tell(bytes: 0, isNews);
    }

    /// <summary>Gives up the memory for its newest batches, and goes on behind them.</summary>
    public void LetGo()
    {
        lock (_lock)
        {
            Tail.Reset(Tail.End);
        }
    }

    /// <summary>It is followed no more: whoever waits is sent to the leader.</summary>
    public void End()
    {
        _over.Cancel();
        _heard.TrySetResult();
        Progress.EndWaits();
    }

    /// <summary>Whoever asks for an offset has what lies before it.</summary>
    private void CountRead(long offset)
    {
        var end = Math.Min(offset, Tail.End);
        if (end <= Interlocked.Read(ref _readTo))
        {
            return;
        }

        TaskCompletionSource readOn;
        lock (_lock)
        {
            if (end <= _readTo)
            {
                return;
            }

            Interlocked.Exchange(ref _readTo, end);
            readOn = _readOn;
            _readOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        readOn.SetResult();
    }

    private void Tell(int bytes, bool isNews)
    {
        _heard.TrySetResult();
        Progress.Advance(bytes);
        if (isNews)
        {
            Progress.EndWaits();
        }
    }

    private void Hear(FollowPartitionResponse answer)
    {
        bool isNews;
        lock (_lock)
        {
            isNews = Hear_NeedsLock(answer);
        }

        if (isNews)
        {
            Progress.EndWaits();
        }
    }

    /// <summary>What comes next was asked for and taken: that the leader answers other questions is no sign that anything will come.</summary>
    private void NoteHeard() => Interlocked.Exchange(ref _heardAt, _runtime.Time.GetTimestamp());

    /// <summary>Up to here there is something to be read without the leader.</summary>
    private long EndOf(LeaderWord word) => Math.Max(Tail.End, word.CommittedOffset);

    /// <returns>Whether those who wait must look again, though nothing may have come.</returns>
    private bool Hear_NeedsLock(FollowPartitionResponse answer)
    {
        var before = _word;
        var word = new LeaderWord(answer.LeaderEpoch, answer.HighWatermark, answer.LogStartOffset, answer.CommittedOffset).After(before);
        var isNewLeader = before is not null && word.Epoch > before.Epoch;
        if (isNewLeader)
        {
            // All that is older lies in objects; but for what was lost, if somebody has accepted a loss, and must not be shown any more. Readers hold no lock:
            // it is gone before they take this leader for heard.
            Tail.Reset(word.CommittedOffset);
            Interlocked.Exchange(ref _readTo, Math.Min(_readTo, word.CommittedOffset));
        }

        _word = word;
        if (isNewLeader)
        {
            return true;
        }

        // Who waits below a new start must learn that its offset is gone.
        return before is not null && word.LogStartOffset > before.LogStartOffset;
    }

    private async ValueTask<StreamRead?> ReadCommittedAsync(PartitionFetch fetch, LeaderWord word, CancellationToken token)
    {
        if (fetch.Offset >= word.CommittedOffset)
        {
            return null;
        }

        try
        {
            return await _committed.ReadAsync(fetch.Offset, Math.Max(fetch.MaxBytes, 1), token);
        }
        catch (StreamException)
        {
            // The leader may have it in memory, or know that it is trimmed; and says what is the matter if neither.
            return null;
        }
    }

    private async ValueTask<PartitionRead> AskAsync(FollowedLeader leader, PartitionFetch fetch, CancellationToken token)
    {
        if (leader.Address is not { } address)
        {
            return PartitionRead.Failed(PartitionError.NotLeader);
        }

        FollowPartitionResponse answer;
        StreamRead? batches;
        try
        {
            answer = await _links.AskAsync(
                address,
                new FollowPartitionRequest
                {
                    NodeId = _links.Self.Value,
                    TopicId = Id.TopicId,
                    Partition = Id.Partition,
                    LeaderEpoch = leader.Epoch,
                    Offset = fetch.Offset,
                    LastFetchedEpoch = fetch.LastFetchedEpoch,
                    MaxBytes = Math.Clamp(fetch.MaxBytes, 0, MostAsked),
                },
                token);
            batches = answer.Records is { IsEmpty: false } records ? Batches(records) : null;
        }
        catch (Exception loss) when (LeaderLinks.IsLoss(loss))
        {
            return PartitionRead.Failed(fetch.Offset > (_word?.HighWatermark ?? -1) ? PartitionError.OffsetNotAvailable : PartitionError.NotLeader);
        }

        if (answer.ErrorCode != 0)
        {
            // What is not known there is not known yet, or soon not here: until then this is the broker of a partition without a leader.
            var error = KafkaErrorMap.ToPartitionError(answer.ErrorCode);
            return PartitionRead.Failed(error is PartitionError.UnknownTopicId or PartitionError.UnknownPartition ? PartitionError.NotLeader : error);
        }

        Hear(answer);
        var read = new PartitionRead { HighWatermark = answer.HighWatermark, LogStartOffset = answer.LogStartOffset };
        return answer.DivergingEpoch >= 0 ? read with { Diverging = (answer.DivergingEpoch, answer.DivergingOffset) }
            : batches is null ? read with { HasMore = fetch.Offset < answer.HighWatermark }
            : Shape(batches, fetch, FollowedSource.Leader);
    }

    /// <summary>They lie in memory of the answer's own, which goes with the last reference.</summary>
    private static StreamRead Batches(ReadOnlySequence<byte> records)
    {
        List<StreamRecord> batches =
        [
            .. RecordBatch.Split(records.IsSingleSegment ? records.First : records.ToArray())
                .Select(batch => new StreamRecord(default, default, batch.Header.BaseOffset, batch.Header.LastOffsetDelta + 1L, -1, batch.Bytes)),
        ];
        return batches.Count > 0 ? new StreamRead(batches) : throw new ProtocolException("A leader's answer has records, and no batch");
    }

    private PartitionRead Shape(StreamRead records, PartitionFetch fetch, FollowedSource source)
    {
        var bytes = records.Records.Sum(record => record.Payload.Length);
        var word = _word!;
        if (bytes > fetch.MaxBytes && !fetch.AtLeastOne)
        {
            records.Dispose();
            return new PartitionRead { HighWatermark = word.HighWatermark, LogStartOffset = word.LogStartOffset, Oversized = true, HasMore = true };
        }

        return new PartitionRead
        {
            Source = source,

            // What is committed may have grown since the leader told of it.
            HighWatermark = Math.Max(word.HighWatermark, records.Records[^1].EndOffset),
            LogStartOffset = word.LogStartOffset,
            Records = records,
            Bytes = bytes,
            HasMore = records.Records[^1].EndOffset < EndOf(word),
        };
    }
}
