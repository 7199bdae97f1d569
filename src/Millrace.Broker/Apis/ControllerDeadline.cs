using Millrace.Runtime;

namespace Millrace.Broker.Apis;

/// <summary>How long a client waits for a deed of the controller. When it is over the deed may still happen, and the answer is REQUEST_TIMED_OUT.</summary>
internal sealed class ControllerDeadline : IDisposable
{
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;

    private ControllerDeadline(CancellationTokenSource timeout, CancellationTokenSource either) => (_timeout, _either) = (timeout, either);

    /// <summary>Cancelled when the time is over or nobody waits for the answer any more.</summary>
    public CancellationToken Token => _either.Token;

    /// <param name="runtime">The node's.</param>
    /// <param name="timeoutMs">As the request says, in milliseconds.</param>
    /// <param name="token">The request's.</param>
    public static ControllerDeadline Start(NodeRuntime runtime, int timeoutMs, CancellationToken token)
    {
        var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(Math.Max(0, timeoutMs)), runtime.Time);
        return new ControllerDeadline(timeout, CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, token));
    }

    public void Dispose()
    {
        _either.Dispose();
        _timeout.Dispose();
    }
}
