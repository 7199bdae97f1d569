using System.Threading.Tasks.Sources;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;

namespace Millrace.Network.Requests;

/// <summary>One request on its way: decoded, begun, completed, answered, released.</summary>
/// <remarks>Threading: begun by the connection's reading loop, answered and released by its writing loop.</remarks>
internal abstract class RequestCall : RequestContext, IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _nextAllowed = new() { RunContinuationsAsynchronously = true };
    private int _allowed;
    private List<IDisposable>? _leases;

    public required ApiKey Api { get; init; }

    public bool HasFlexibleResponseHeader { get; init; }

    public bool OutlivesConnection { get; init; }

    /// <summary>The handler's outcome; failed as the handler failed. Only after <see cref="Start"/>.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public bool IsCompleted => Completion.IsCompleted;

    /// <summary>Something waits for <see cref="ReleaseLeases"/>.</summary>
    protected bool HoldsMemory => _leases is not null;

    /// <summary>How long the connection pauses before its next request. Known when the next one may begin.</summary>
    public TimeSpan Pause { get; protected set; }

    public bool ResponseSuppressed { get; private set; }

    public bool DisconnectRequested { get; private set; }

    /// <summary>Its response is the connection's last.</summary>
    public bool IsLast { get; private set; }

    /// <summary>Completes when the connection's next request may begin. Awaited once.</summary>
    public ValueTask NextAllowed => new(this, _nextAllowed.Version);

    public void Start(CancellationToken token) => Completion = HandleAsync(token);

    public abstract void WriteResponse(ref KafkaWriter writer);

    /// <summary>Names the errors of the response, for those who count them.</summary>
    public abstract void ReportErrors(ErrorTally errors);

    public override void AllowNext()
    {
        if (Interlocked.Exchange(ref _allowed, 1) == 0)
        {
            _nextAllowed.SetResult(true);
        }
    }

    public override void ReleaseAfterResponse(IDisposable lease) => (_leases ??= []).Add(lease);

    public override void SuppressResponse() => ResponseSuppressed = true;

    public override void Disconnect() => DisconnectRequested = true;

    public override void DisconnectAfterResponse() => IsLast = true;

    /// <summary>The response is written or given up: the next request may begin, if it had to wait for that.</summary>
    public void ReleaseLeases()
    {
        foreach (var lease in _leases ?? [])
        {
            lease.Dispose();
        }

        _leases = null;
        AllowNext();
    }

    void IValueTaskSource.GetResult(short token) => _nextAllowed.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _nextAllowed.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _nextAllowed.OnCompleted(continuation, state, token, flags);

    protected abstract Task HandleAsync(CancellationToken token);
}
