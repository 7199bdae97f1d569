namespace Millrace.Server.Http;

/// <summary>What probes are told of a node. Threading: any thread.</summary>
internal sealed class NodeHealth
{
    private volatile string? _notReady = "starting";
    private volatile string? _failure;
    private volatile bool _isStopping;

    /// <summary>Why it cannot serve clients now, or null.</summary>
    public string? NotReady => _isStopping ? "stopping" : _notReady;

    /// <summary>Why it must be restarted, or null.</summary>
    public string? Failure => _failure;

    public void Ready() => _notReady = null;

    /// <summary>Between two incarnations nobody serves, and nothing has to be restarted for that.</summary>
    public void Replacing(Exception reason) => _notReady = $"no incarnation: the former one is over, and a new one is being made ({reason.Message})";

    /// <summary>For good, whatever else is told meanwhile.</summary>
    public void Stopping() => _isStopping = true;

    public void Failed(Exception failure) => _failure = failure.Message;
}
