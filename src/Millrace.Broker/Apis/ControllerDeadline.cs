using Millrace.Runtime;

namespace Millrace.Broker.Apis;

/// <summary>How long a client waits for a deed of the controller. When it is over the deed may still happen, and the answer is REQUEST_TIMED_OUT.</summary>
internal static class ControllerDeadline
{
    /// <summary>A source that is cancelled with the request's token or when its timeout (milliseconds) is over.</summary>
    public static CancellationTokenSource Start(NodeRuntime runtime, int timeoutMs, CancellationToken token)
    {
        var deadline = new CancellationTokenSource(TimeSpan.FromMilliseconds(Math.Max(0, timeoutMs)), runtime.Time);
        // Disposed with the source itself: a linked pair would need two owners.
        token.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), deadline);
        return deadline;
    }
}
