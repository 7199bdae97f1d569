namespace Millrace.Server.Http;

/// <summary>What probes are told of a node. Threading: any thread.</summary>
internal sealed class NodeHealth
{
    private volatile string? _notReady = "starting";
    private volatile string? _failure;

    /// <summary>Why it cannot serve clients now, or null.</summary>
    public string? NotReady => _notReady;

    /// <summary>Why it must be restarted, or null.</summary>
    public string? Failure => _failure;

    public void Ready() => _notReady = null;

    public void Stopping() => _notReady = "stopping";

    public void Failed(Exception failure) => _failure = failure.Message;
}
