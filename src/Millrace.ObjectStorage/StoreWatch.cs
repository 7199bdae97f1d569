using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Tells the operator when a store does not answer or refuses, and when it does again. All who call a store repeat their calls, for ever
/// if need be, and most at a pace at which each saying so would be too much or too late: this is where it is said, once for all, when it
/// begins, and once when it is over.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed partial class StoreWatch : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    // Whoever reads that the store fails waits for the line that says that it no longer does.
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(5);

    private readonly NodeRuntime _runtime;
    private readonly string _name;
    private readonly ILogger _logger;
    private readonly Shortage _trouble;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _closing;
    private Task _looking = Task.CompletedTask;

    // Under _lock, as all below: in the order they began.
    private readonly LinkedList<StoreCall> _underWay = new();
    private long _answered;
    private long _failed;
    private ObjectStorageException? _lastFailure;

    // As far as they have been looked at, and what had been answered when trouble was last seen.
    private long _seenFailed;
    private long _answeredInTrouble;
    private long _seenAnswered;

    // Of the trouble that lasts: what had been answered and had failed when it began.
    private long _answeredBefore;
    private long _failedBefore;

    public StoreWatch(NodeRuntime runtime, string name)
    {
        _runtime = runtime;
        _name = name;
        _logger = runtime.Loggers.CreateLogger<StoreWatch>();
        _trouble = new Shortage(runtime.Time, Calm);
        _closing = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
    }

    /// <summary>
    /// What is wrong now. A call that fails among others that succeed is repeated and is none; nor is one alone that takes its time. What
    /// repeating does not mend is: no room, no permission.
    /// </summary>
    public StoreTrouble? Trouble { get => Volatile.Read(ref field); private set => Volatile.Write(ref field, value); }

    public void Start() => _looking = _runtime.Spawn("store-watch", _ => LookAsync(_closing.Token));

    /// <summary>How long a call without a body may take before it is worth a word.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

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
                _lastFailure = failure;
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
                if (_trouble.Begin())
                {
                    (_answeredBefore, _failedBefore) = (_answered, _seenFailed);
                    SayWhatIsWrong_NeedsLock(late);
                }

                Trouble = Judge_NeedsLock(late) ?? Trouble;
                (_seenFailed, _answeredInTrouble) = (_failed, _answered);
            }
            else if (_answered > _answeredInTrouble && _trouble.TryEnd(out var lasted))
            {
                Trouble = null;
                var failed = _failed - _failedBefore;
                AnswersAgain(_logger, _name, failed, failed + _answered - _answeredBefore, (long)Math.Round(lasted.TotalSeconds));
            }

            _seenAnswered = _answered;
        }
    }

    private StoreTrouble? Judge_NeedsLock(StoreCall? late)
    {
        if (_failed > _seenFailed && _lastFailure is { } failure)
        {
            return failure.IsForWantOfRoom || failure.Error != ObjectStorageError.Transient || _answered == _seenAnswered
                ? new StoreTrouble(failure.IsForWantOfRoom, failure.Message)
                : null;
        }

        return late is not null && _answered == _seenAnswered
            ? new StoreTrouble(
                IsFull: false,
                $"{_name} does not answer: '{late.Operation} {late.Key}' has waited for {_runtime.Time.GetElapsedTime(late.Begun).TotalSeconds:0} s")
            : null;
    }

    private void SayWhatIsWrong_NeedsLock(StoreCall? late)
    {
        if (_failed > _seenFailed)
        {
            Refuses(_logger, _name, _lastFailure!.Message);
        }
        else
        {
            DoesNotAnswer(_logger, _name, late!.Operation, late.Key, (long)_runtime.Time.GetElapsedTime(late.Begun).TotalSeconds);
        }
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

    [LoggerMessage(
        EventId = 220, Level = LogLevel.Warning,
        Message = "The object store {Store} does not do what it is asked. Calls are repeated until it does. Its answer: {Answer}")]
    private static partial void Refuses(ILogger logger, string store, string answer);

    [LoggerMessage(
        EventId = 221, Level = LogLevel.Warning,
        Message = "The object store {Store} does not answer: '{Operation} {Key}' has waited for {Seconds} s. Calls are repeated until it does")]
    private static partial void DoesNotAnswer(ILogger logger, string store, string operation, string key, long seconds);

    [LoggerMessage(
        EventId = 222, Level = LogLevel.Information,
        Message = "The object store {Store} does what it is asked again: {Failed} of {Calls} calls failed within {Seconds} s")]
    private static partial void AnswersAgain(ILogger logger, string store, long failed, long calls, long seconds);
}
