using System.Buffers;
using Millrace.Runtime;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>
/// The right to append to one term of a log, in the memory of the process that got it: it is never resumed after a
/// restart. Appends go out several at a time and are acknowledged in order.
/// </summary>
/// <remarks>
/// Threading: one sequencer appends; everything else from any thread. After a fence no append is begun; those before the
/// lost one may still be acknowledged, and <see cref="Lost"/> completes when nothing is left.
/// </remarks>
public sealed class ObjectLogOwner : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly LogObjects _objects;
    private readonly LogStart _start;
    private readonly Queue<Append> _underWay = new();
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource<ObjectLogException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _room;
    private ObjectLogException? _refusal;
    private long _next;
    private long _confirmed = -1;

    internal ObjectLogOwner(LogObjects objects, LogStart start)
    {
        Invariant.Check(start.Next.Index == 0);
        _objects = objects;
        _start = start;
    }

    public long Term => _start.Next.Term;

    /// <summary>The place of the last acknowledged entry of this term; null before the first.</summary>
    public LogPlace? Confirmed
    {
        get
        {
            var confirmed = Volatile.Read(ref _confirmed);
            return confirmed < 0 ? null : At(confirmed);
        }
    }

    /// <summary>Completes when this owner can append no more and nothing it began is left open, with the reason.</summary>
    public Task<ObjectLogException> Lost => _lost.Task;

    /// <summary>What a snapshot of everything up to and including a place of this term carries.</summary>
    public LogStart StartAfter(LogPlace place)
    {
        Invariant.Check(place.Term == Term);
        return _start with { Next = place.Next };
    }

    /// <summary>
    /// Waits until another append may go out; with <see cref="ObjectLogOptions.InFlight"/> of 1, until the last one is
    /// acknowledged. Only the sequencer appends, so the room stays until it does.
    /// </summary>
    /// <exception cref="ObjectLogException">Fenced, Closed.</exception>
    public async ValueTask WaitForRoomAsync(CancellationToken token)
    {
        while (true)
        {
            Task room;
            lock (_lock)
            {
                if (_refusal is not null)
                {
                    throw _refusal;
                }

                if (HasRoom_NeedsLock)
                {
                    return;
                }

                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }

            await room.OrCancelled(token);
        }
    }

    /// <summary>
    /// Appends. The place is taken before this returns, so that calls are in the order of places. The task completes with it
    /// when the entry and all before it are in the store; tasks complete in order.
    /// </summary>
    /// <param name="payload">Goes to the store from where it lies, and stays unchanged until the task completes.</param>
    /// <exception cref="ObjectLogException">Fenced or Closed, in the task: whether the entry is in the log is unknown.</exception>
    public Task<LogPlace> AppendAsync(ReadOnlySequence<byte> payload)
    {
        Append append;
        LogBody body;
        lock (_lock)
        {
            if (_refusal is not null)
            {
                return Task.FromException<LogPlace>(_refusal);
            }

            Invariant.Check(HasRoom_NeedsLock);
            append = new Append(_next++);
            body = LogBody.Entry(At(append.Index), _objects.Runtime.NewId(), _start.After, _confirmed, payload);
            _underWay.Enqueue(append);
        }

        _ = CreateAsync(append, body);
        return append.Done.Task;
    }

    /// <summary>
    /// Looks whether somebody has ended this term, for an owner that has nothing to append. With nothing under way, whoever takes over finds the
    /// first hole at the next place, and the seal that counts is there; one that counted is never deleted, so one look at one key tells.
    /// Called by the sequencer, between appends; while some are under way they will tell.
    /// </summary>
    /// <returns>Whether the log is known to have been this owner's when the look began; false while appends are under way.</returns>
    /// <exception cref="ObjectLogException">Fenced, Closed.</exception>
    /// <exception cref="ObjectStorageException">The store refuses to say: nothing is known.</exception>
    public async ValueTask<bool> ConfirmAsync(CancellationToken token)
    {
        LogPlace place;
        lock (_lock)
        {
            if (_refusal is not null)
            {
                throw _refusal;
            }

            if (_underWay.Count > 0)
            {
                return false;
            }

            place = At(_next);
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token, token);
        var found = false;
        try
        {
            found = await _objects.GetAsync(place, whole: false, either.Token) is not null;
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // Closed meanwhile, as the refusal says.
        }

        lock (_lock)
        {
            if (found)
            {
                Refuse_NeedsLock(new ObjectLogException(
                    ObjectLogError.Fenced, $"{_objects.Prefix}: somebody else has ended term {Term} at index {place.Index}"));
                Settle_NeedsLock();
            }

            if (_refusal is not null)
            {
                throw _refusal;
            }
        }

        return true;
    }

    /// <summary>Ends the appends under way, whose outcome is then unknown, and waits until the store has let go of their payloads.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            Refuse_NeedsLock(new ObjectLogException(ObjectLogError.Closed, $"{_objects.Prefix}: term {Term} was closed by its owner"));
            Settle_NeedsLock();
        }

        _closing.Cancel();
        await _lost.Task;
    }

    // The next body says what is confirmed now; whoever takes over looks no further than InFlight behind the seal.
    private bool HasRoom_NeedsLock => _next - _confirmed <= _objects.Options.InFlight;

    private LogPlace At(long index) => new(Term, index);

    private async Task CreateAsync(Append append, LogBody body)
    {
        try
        {
            var place = At(append.Index);
            append.Outcome = await _objects.CreateAsync(_objects.Keys.Object(place), place, body, _closing.Token);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // Closed: the outcome stays unknown.
        }
        catch (ObjectLogException broken)
        {
            Refuse(broken);
        }
        catch (Exception failure)
        {
            _objects.Runtime.Fail(failure);
        }

        bool lost;
        lock (_lock)
        {
            append.Ended = true;
            if (append.Outcome is CreateOutcome.Taken or CreateOutcome.Gone)
            {
                Refuse_NeedsLock(new ObjectLogException(
                    ObjectLogError.Fenced, $"{_objects.Prefix}: somebody else has ended term {Term} at or before index {append.Index}"));
            }

            lost = Settle_NeedsLock();
        }

        if (lost)
        {
            // Outside the lock: cancelling runs other people's code.
            _closing.Cancel();
        }
    }

    // Completes what is decided, in order; true once an append has been lost. Completions run elsewhere: the sources are asynchronous.
    private bool Settle_NeedsLock()
    {
        var lost = false;
        while (_underWay.TryPeek(out var append))
        {
            if (_objects.Rules.MayAcknowledge(append.Outcome, allBeforeAcknowledged: _confirmed == append.Index - 1))
            {
                Volatile.Write(ref _confirmed, append.Index);
                append.Done.TrySetResult(At(append.Index));
            }
            else if (append.Ended)
            {
                // Everything before is acknowledged, and this one never will be: the rest has no future either.
                Refuse_NeedsLock(new ObjectLogException(ObjectLogError.Closed, $"{_objects.Prefix}: the append to {At(append.Index)} has an unknown outcome"));
                append.Done.TrySetException(_refusal!);
                lost = true;
            }
            else
            {
                break;
            }

            _underWay.Dequeue();
        }

        if (_refusal is not null || HasRoom_NeedsLock)
        {
            _room?.TrySetResult();
            _room = null;
        }

        if (_refusal is not null && _underWay.Count == 0)
        {
            _lost.TrySetResult(_refusal);
        }

        return lost;
    }

    private void Refuse(ObjectLogException reason)
    {
        lock (_lock)
        {
            Refuse_NeedsLock(reason);
        }
    }

    private void Refuse_NeedsLock(ObjectLogException reason)
    {
        if (_refusal is not null)
        {
            return;
        }

        _refusal = reason;
        if (reason.Error == ObjectLogError.Fenced)
        {
            ObjectLogMessages.Fenced(_objects.Logger, _objects.Prefix, Term, _confirmed + 1);
        }
    }

    private sealed class Append(long index)
    {
        public long Index => index;

        public TaskCompletionSource<LogPlace> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Known only once the create has settled.</summary>
        public CreateOutcome? Outcome { get; set; }

        /// <summary>The create has ended, settled or not.</summary>
        public bool Ended { get; set; }
    }
}
