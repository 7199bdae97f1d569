using Millrace.Runtime;

namespace Millrace.Broker.Apis;

/// <summary>The time a request may take: over when its timeout is, or when nobody waits for it any more. Disposed when the request is done.</summary>
/// <remarks>It ends the wait for a deed of the controller, not the deed: that may still happen when the answer is REQUEST_TIMED_OUT.</remarks>
internal sealed class RequestDeadline : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _abandoned;

    /// <param name="runtime">Whose time counts.</param>
    /// <param name="limit">Negative counts as none left.</param>
    /// <param name="abandoned">The request's own token.</param>
    public RequestDeadline(NodeRuntime runtime, TimeSpan limit, CancellationToken abandoned)
    {
        _source = new CancellationTokenSource(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, runtime.Time);
        _abandoned = abandoned.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    public bool IsOver => _source.IsCancellationRequested;

    public void Dispose()
    {
        // The registration first: its token may live as long as the server.
        _abandoned.Dispose();
        _source.Dispose();
    }
}
