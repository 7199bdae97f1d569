using Millrace.Runtime;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>Walks a log in order, reading ahead, and follows its end.</summary>
/// <remarks>
/// Threading: one step at a time. What it has passed is decided for ever, even before the owner has acknowledged it.
/// Disposing it ends the reads ahead.
/// </remarks>
public sealed class ObjectLogReader : IDisposable
{
    private const int WorthReadingAhead = 3;
    private static readonly TimeSpan BoundaryInterval = TimeSpan.FromSeconds(1);

    private readonly LogObjects _objects;
    private readonly bool _whole;
    private readonly CancellationTokenSource _closing = new();

    // Reads under way of the places from Position.Next on, and the bytes that each is taken to bring.
    private readonly Queue<(Task<LogObject?> Read, long Bytes)> _ahead = new();
    private readonly Func<LogPlace, long?> _lengthOf;
    private long _aheadBytes;
    private long _largest;
    private int _streak;
    private long? _boundaryReadAt;

    /// <param name="objects">The log.</param>
    /// <param name="start">Where the first step reads.</param>
    /// <param name="whole">With payloads.</param>
    /// <param name="lengthOf">Bytes of a payload where they are known; else it is taken to be as large as the largest so far.</param>
    internal ObjectLogReader(LogObjects objects, LogStart start, bool whole, Func<LogPlace, long?> lengthOf)
    {
        _lengthOf = lengthOf;
        _objects = objects;
        _whole = whole;
        Position = start;
    }

    /// <summary>
    /// Up to here there are objects: they are read ahead from the first step on, and nothing behind. By default nothing is known: reading ahead begins when
    /// some have been passed, and may ask for what is not there.
    /// </summary>
    internal LogPlace KnownEnd { get; init; }

    /// <summary>Where the next step reads, in the form that a snapshot of all before it carries.</summary>
    public LogStart Position { get; private set; }

    /// <summary>Reads the next place. At the tail it says so at once; the same place is read again by the next step.</summary>
    /// <exception cref="ObjectLogException">Trimmed: begin again from the newest snapshot or the boundary. Fork, Corrupt: stop.</exception>
    public async ValueTask<LogStep> StepAsync(CancellationToken token)
    {
        var place = Position.Next;
        var found = await ReadAsync(place, token);
        if (found is null)
        {
            // What is absent may have been there, and may have been trimmed.
            await CheckBoundaryAsync(place, token);
            return LogStep.Tail(place);
        }

        if (found.After != Position.After)
        {
            await CheckBoundaryAsync(place, token);
            throw new ObjectLogException(
                ObjectLogError.Fork, $"{_objects.Keys.Object(place)} follows seal {found.After}, and the log before it ends with {Position.After}");
        }

        if (found.IsSeal)
        {
            await CheckBoundaryAsync(place, token);
            DropAhead();
            Position = Position.AfterSeal(place, found.PutId);
        }
        else
        {
            PassEntry(found.Length);
        }

        return new LogStep(found.IsSeal ? LogStepKind.Seal : LogStepKind.Entry, place, found.PutId, found.Length, found.Payload);
    }

    /// <summary>Goes behind a step that somebody else has read in this log, and told of: nothing of it need be read here.</summary>
    /// <param name="step">In the term that <see cref="Position"/> stands in, there or further on. Its put id counts if it is a seal.</param>
    public void Pass(LogStep step)
    {
        Invariant.Check(step.Place.Term == Position.Next.Term && step.Place >= Position.Next);
        DropAhead();
        Position = step.Kind == LogStepKind.Seal ? Position.AfterSeal(step.Place, step.PutId) : Position with { Next = step.Next };
    }

    /// <summary>Reads the next place, waiting for it to be written.</summary>
    /// <inheritdoc cref="StepAsync"/>
    public async ValueTask<LogStep> FollowAsync(CancellationToken token)
    {
        while (true)
        {
            if (BoundaryIsFresh() && await ReadAsync(Position.Next, token) is null)
            {
                await WaitAsync(token);
                continue;
            }

            var step = await StepAsync(token);
            if (step.Kind != LogStepKind.Tail)
            {
                return step;
            }

            await WaitAsync(token);
        }
    }

    public void Dispose()
    {
        _closing.Cancel();
        _closing.Dispose();
    }

    private Task WaitAsync(CancellationToken token) =>
        Task.Delay(_objects.Options.PollInterval, _objects.Runtime.Time, token);

    private bool BoundaryIsFresh() =>
        _boundaryReadAt is { } when && _objects.Runtime.Time.GetElapsedTime(when) < BoundaryInterval;

    // Called after the object was read, or found absent.
    private async ValueTask CheckBoundaryAsync(LogPlace place, CancellationToken token)
    {
        var boundary = await _objects.BoundaryAsync(token);
        _boundaryReadAt = _objects.Runtime.Time.GetTimestamp();
        if (!_objects.Rules.Counts(place, boundary))
        {
            throw new ObjectLogException(ObjectLogError.Trimmed, $"{_objects.Prefix}: {place} has been trimmed; the log begins at {boundary}");
        }
    }

    // The object stays at the head of the queue until the step passes it.
    private async ValueTask<LogObject?> ReadAsync(LogPlace place, CancellationToken token)
    {
        if (_ahead.Count == 0 && place < KnownEnd)
        {
            ReadAhead(isWanted: true);
        }

        if (_ahead.TryPeek(out var head))
        {
            var ready = await head.Read.OrCancelled(token);
            if (ready is not null)
            {
                return ready;
            }

            // Absent when it was read ahead says nothing now: it may have been written in between.
            DropAhead();
        }

        var found = await _objects.GetAsync(place, _whole, token);
        if (found is not null)
        {
            _ahead.Enqueue((Task.FromResult<LogObject?>(found), 0));
        }

        return found;
    }

    private void PassEntry(long length)
    {
        _aheadBytes -= _ahead.Dequeue().Bytes;
        _largest = Math.Max(_largest, length);
        Position = Position with { Next = Position.Next.Next };
        _streak = Position.Next <= KnownEnd ? 0 : _streak + 1;
        ReadAhead(isWanted: false);
    }

    // The first is read however large it is, if it is wanted now.
    private void ReadAhead(bool isWanted)
    {
        // Whoever follows the tail meets one entry at a time and should not ask for what is not there.
        var window = Position.Next < KnownEnd ? Math.Min(KnownEnd.Index - Position.Next.Index, _objects.Options.ReadAhead)
            : _streak < WorthReadingAhead ? 0
            : Math.Min(_streak, _objects.Options.ReadAhead);
        while (_ahead.Count < window)
        {
            var place = Position.Next with { Index = Position.Next.Index + _ahead.Count };
            var bytes = _whole ? _lengthOf(place) ?? _largest : LogObjectFormat.HeaderSize;
            if (_aheadBytes + bytes > _objects.Options.ReadAheadBytes && !(isWanted && _ahead.Count == 0))
            {
                break;
            }

            _aheadBytes += bytes;
            _ahead.Enqueue((_objects.GetAsync(place, _whole, _closing.Token).AsTask(), bytes));
        }
    }

    private void DropAhead()
    {
        _ahead.Clear();
        (_aheadBytes, _streak) = (0, 0);
    }
}
