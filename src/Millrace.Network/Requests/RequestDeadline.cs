using Millrace.Runtime;

namespace Millrace.Network.Requests;

/// <summary>The time a request may take: over when its time-out is, or when nobody waits for it any more. Disposed when the request is done.</summary>
/// <remarks>
/// One rule for every time-out that a request states. It says how long its client lets a deed wait until it begins: when it is over
/// by then, nothing was done, and REQUEST_TIMED_OUT says so. A deed that has begun cannot be taken back, and a client that hears of a
/// time-out does it again: so from then on, by <see cref="AwaitOutcome"/>, its outcome is waited for for <see cref="LeastPatience"/> at least.
/// A time-out of 0 or less leaves no wait. As in Apache Kafka 4.3.1, what needs none is done all the same (a partition that is open takes
/// a batch, or deletes records), and the controller, which puts every request in a queue, begins nothing. There the outcome of most
/// deeds is known at once; here it is known when it is durable.
/// The end of the wait does not end the deed: it may yet happen when the answer is REQUEST_TIMED_OUT.
/// Threading: one caller at a time; the token is anybody's.
/// </remarks>
internal sealed class RequestDeadline : IDisposable
{
    /// <summary>Longer than a deed takes on any store that works, and less than any client waits for an answer.</summary>
    public static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly TimeSpan _limit;
    private readonly CancellationToken _abandoned;
    private CancellationTokenSource _source;
    private CancellationTokenRegistration _registration;

    /// <param name="runtime">Whose time counts.</param>
    /// <param name="limit">Negative counts as none left.</param>
    /// <param name="abandoned">The request's own token.</param>
    public RequestDeadline(NodeRuntime runtime, TimeSpan limit, CancellationToken abandoned)
    {
        (_time, _limit, _abandoned) = (runtime.Time, limit, abandoned);
        _began = _time.GetTimestamp();
        (_source, _registration) = Limit(limit);
    }

    public CancellationToken Token => _source.Token;

    public bool IsOver => _source.IsCancellationRequested;

    /// <summary>Begins a deed of the controller, if there is time left for that, and returns the token to wait for its outcome by.</summary>
    /// <exception cref="OperationCanceledException">The time is over: nothing may be done.</exception>
    public CancellationToken Begin()
    {
        Token.ThrowIfCancellationRequested();
        AwaitOutcome();
        return Token;
    }

    /// <summary>
    /// Only the outcome of what has begun is waited for from now on: <see cref="Token"/> is another one, with the least patience at
    /// least. Nothing may wait by the former one any more.
    /// </summary>
    public void AwaitOutcome()
    {
        if (_limit - _time.GetElapsedTime(_began) < LeastPatience)
        {
            Dispose();
            (_source, _registration) = Limit(LeastPatience);
        }
    }

    public void Dispose()
    {
        // The registration first: its token may live as long as the server.
        _registration.Dispose();
        _source.Dispose();
    }

    private (CancellationTokenSource Source, CancellationTokenRegistration Registration) Limit(TimeSpan limit)
    {
        var source = new CancellationTokenSource(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, _time);
        return (source, _abandoned.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), source));
    }
}
