using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.State;

/// <summary>Whether a stream still serves, why it does not, and who still uses the memory of one that has ended.</summary>
/// <remarks>Threading: one caller at a time (the stream's lock).</remarks>
/// <param name="id">For messages.</param>
internal sealed class StreamLife(StreamId id)
{
    private StreamException? _lost;
    private int _users;
    private bool _isToClose;
    private volatile bool _isAsked;

    public StreamPhase Phase { get; private set; } = StreamPhase.Open;

    public bool HasEnded => Phase is StreamPhase.Lost or StreamPhase.Closed;

    /// <summary>Of one that closes: in the same step it has its next owner.</summary>
    public bool HandsOver { get; private set; }

    /// <summary>
    /// The registry is being asked to close its range, or was, or the stream is lost: from here on it may have its next owner. Read by any thread.
    /// </summary>
    public bool IsAsked => _isAsked;

    /// <summary>Its range is closed in the registry: <see cref="Close"/> is to follow.</summary>
    public bool IsRangeClosed { get; private set; }

    /// <summary>It has ended, and neither the WAL nor an upload needs its records in memory.</summary>
    public bool IsOver => HasEnded && _users == 0;

    /// <summary>The WAL, or an upload, uses its memory until <see cref="Leave"/>.</summary>
    public void Enter() => _users++;

    public void Leave() => Invariant.Check(--_users >= 0);

    /// <exception cref="StreamException">Why it serves nobody any more.</exception>
    public void ThrowIfEnded()
    {
        if (_lost is { } lost)
        {
            throw new StreamException(lost.Error, lost.Message, lost);
        }

        if (Phase == StreamPhase.Closed)
        {
            throw new StreamException(StreamError.Closed, $"Stream {id} is closed on this node");
        }
    }

    /// <exception cref="StreamException">Why it takes no appends any more.</exception>
    public void ThrowIfNotAppendable()
    {
        if (Phase == StreamPhase.Open)
        {
            return;
        }

        ThrowIfEnded();
        throw new StreamException(StreamError.Closed, $"Stream {id} is closing on this node");
    }

    /// <summary>Takes no appends from now on. May be called again.</summary>
    /// <param name="handsOver">Somebody else is to have it next.</param>
    /// <exception cref="StreamException">It has ended.</exception>
    public void BeginClosing(bool handsOver)
    {
        ThrowIfEnded();
        // Whoever only closes does not outdo whoever hands over.
        (Phase, HandsOver) = (StreamPhase.Closing, HandsOver || handsOver);
        _isToClose |= !handsOver;
    }

    /// <summary>The registry is about to be asked to close its range.</summary>
    public void Ask()
    {
        Invariant.Check(Phase == StreamPhase.Closing);
        _isAsked = true;
    }

    /// <summary>Takes appends again, if it was only to be handed over, and nobody can have it yet.</summary>
    public bool TryReopen(HandOverRules rules)
    {
        if (Phase != StreamPhase.Closing || _isToClose || !rules.MayBeTakenBack(_isAsked))
        {
            return false;
        }

        (Phase, HandsOver) = (StreamPhase.Open, false);
        return true;
    }

    /// <summary>An upload has closed its range in the registry.</summary>
    public void OnRangeClosed() => IsRangeClosed = true;

    /// <summary>Its range is closed in the registry.</summary>
    /// <exception cref="StreamException">It was lost meanwhile.</exception>
    public void Close()
    {
        ThrowIfEnded();
        Invariant.Check(Phase == StreamPhase.Closing);
        Phase = StreamPhase.Closed;
    }

    /// <summary>It has ended for a reason that counts from now on. Only one that has not ended is lost.</summary>
    public void Lose(StreamException reason)
    {
        Invariant.Check(!HasEnded);
        (Phase, _lost, _isAsked) = (StreamPhase.Lost, reason, true);
    }
}
