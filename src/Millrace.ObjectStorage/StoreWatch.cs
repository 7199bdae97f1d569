using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Tells the operator when a store does not answer or refuses, and when it does again. All who call a store repeat their calls, for ever
/// if need be, and most at a pace at which each saying so would be too much or too late: this is where it is said, once for all.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed partial class StoreWatch : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly NodeRuntime _runtime;
    private readonly string _name;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closing;
    private Task _looking = Task.CompletedTask;

    // Under _lock, as all below: in the order they began.
    private readonly LinkedList<StoreCall> _underWay = new();
    private int _answered;
    private int _failed;
    private string? _lastFailure;
    private long _since;
    private int _seenFailed;
    private bool _isBad;
    private long _badAt;
    private long? _saidAt;

    public StoreWatch(NodeRuntime runtime, string name)
    {
        _runtime = runtime;
        _name = name;
        _logger = runtime.Loggers.CreateLogger<StoreWatch>();
        _since = runtime.Time.GetTimestamp();
        _closing = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
    }

    public void Start() => _looking = _runtime.Spawn("store-watch", _ => LookAsync(_closing.Token));

    /// <summary>How long a call without a body may take before it is worth a word.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the same trouble is told.</summary>
    internal TimeSpan Pace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long nothing may be amiss before that is said.</summary>
    internal TimeSpan Quiet { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A call begins. Whoever began it ends it.</summary>
    public LinkedListNode<StoreCall> Begin(string operation, string key, long bytes)
    {
        lock (_lock)
        {
            return _underWay.AddLast(new StoreCall(operation, key, bytes, _runtime.Time.GetTimestamp()));
        }
    }

    /// <summary>A call has ended.</summary>
    /// <param name="call">As it began.</param>
    /// <param name="isAnswered">False also for one that its caller gave up, which says nothing of the store.</param>
    /// <param name="failure">How it failed.</param>
    public void End(LinkedListNode<StoreCall> call, bool isAnswered, ObjectStorageException? failure)
    {
        lock (_lock)
        {
            _underWay.Remove(call);
            _answered += isAnswered ? 1 : 0;
            if (failure is not null)
            {
                _failed++;
                _lastFailure = failure.Message;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _closing.Cancel();
        await _looking;
        _closing.Dispose();
    }

    /// <summary>Looks once, and says what there is to say.</summary>
    internal void Look()
    {
        lock (_lock)
        {
            var late = FindLate_NeedsLock();
            if (late is not null || _failed > _seenFailed)
            {
                (_seenFailed, _badAt) = (_failed, _runtime.Time.GetTimestamp());
                if (_saidAt is not { } said || _runtime.Time.GetElapsedTime(said) >= Pace)
                {
                    SayWhatIsWrong_NeedsLock(late);
                }
            }
            else if (_isBad && _answered > 0 && _runtime.Time.GetElapsedTime(_badAt) >= Quiet)
            {
                _isBad = false;
                AnswersAgain(_logger, _name);
                BeginCount_NeedsLock();
            }
        }
    }

    private void SayWhatIsWrong_NeedsLock(StoreCall? late)
    {
        if (_failed > 0)
        {
            var seconds = (long)Math.Ceiling(_runtime.Time.GetElapsedTime(_since).TotalSeconds);
            Refuses(_logger, _failed, _failed + _answered, seconds, _lastFailure!);
        }
        else
        {
            DoesNotAnswer(_logger, _name, late!.Operation, late.Key, (long)_runtime.Time.GetElapsedTime(late.Begun).TotalSeconds);
        }

        _isBad = true;
        _saidAt = _runtime.Time.GetTimestamp();
        BeginCount_NeedsLock();
    }

    private async Task LookAsync(CancellationToken token)
    {
        try
        {
            while (true)
            {
                await Task.Delay(LookInterval, _runtime.Time, token);
                Look();
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The store is closed.
        }
    }

    // A large body that travels over a slow link is late only when that would take longer.
    private StoreCall? FindLate_NeedsLock()
    {
        foreach (var call in _underWay)
        {
            if (_runtime.Time.GetElapsedTime(call.Begun) >= CallLimit.For(Patience, call.Bytes, attempt: 1))
            {
                return call;
            }
        }

        return null;
    }

    private void BeginCount_NeedsLock() => (_answered, _failed, _seenFailed, _lastFailure, _since) = (0, 0, 0, null, _runtime.Time.GetTimestamp());

    [LoggerMessage(
        EventId = 220, Level = LogLevel.Warning,
        Message = "The object store does not do what it is asked: {Failed} of {Calls} calls failed in {Seconds} s. They are repeated. Its last answer: {Answer}")]
    private static partial void Refuses(ILogger logger, int failed, int calls, long seconds, string answer);

    [LoggerMessage(EventId = 221, Level = LogLevel.Warning, Message = "The object store {Store} does not answer: '{Operation} {Key}' has waited for {Seconds} s. Calls are repeated until it does")]
    private static partial void DoesNotAnswer(ILogger logger, string store, string operation, string key, long seconds);

    [LoggerMessage(EventId = 222, Level = LogLevel.Information, Message = "The object store {Store} answers again")]
    private static partial void AnswersAgain(ILogger logger, string store);
}
