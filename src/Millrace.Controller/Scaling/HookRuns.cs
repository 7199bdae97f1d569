using Microsoft.Extensions.Logging;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>
/// Has orders carried out, one at a time: the newest counts, and is repeated until the command has done it, with a pause that grows.
/// </summary>
/// <remarks>Threading: one flow; <see cref="Last"/> by any thread.</remarks>
/// <param name="runtime">Time and lots.</param>
/// <param name="hook">Runs the command.</param>
/// <param name="rules">How long the pauses are.</param>
/// <param name="ended">Hears of each run that has ended.</param>
internal sealed class HookRuns(NodeRuntime runtime, IScalerHook hook, ScaleRules rules, Action<HookRun> ended)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<Scaler>();
    private BackOff _pauses = new(runtime, rules.FirstPause, rules.LongestPause);
    private ScaleOrder? _owed;
    private int _attempts;
    private long _dueAt;
    private long _lastEndedAt;
    private (Task<HookEnd> Task, HookRun Run, long At)? _running;
    private volatile HookRun? _last;

    /// <summary>The one under way, or the last that ended; null if there was none.</summary>
    public HookRun? Last => _last;

    /// <summary>There is something to do, or to wait for.</summary>
    public bool IsBusy => _owed is not null || _running is not null;

    public bool IsRunning => _running is not null;

    /// <summary>The command has been told to stop a broker, whatever it has made of that.</summary>
    public bool WasTold(NodeId victim) => _last?.Order.Victim == victim;

    /// <summary>It has said that the broker is stopped or about to be, and that may still be on its way.</summary>
    public bool Awaits(NodeId victim) =>
        _owed?.Victim == victim
        || _running?.Run.Order.Victim == victim
        || (_last is { End.Outcome: HookOutcome.Done } && WasTold(victim) && runtime.Time.GetElapsedTime(_lastEndedAt) < rules.Patience);

    /// <summary>From now on this is to be. What is under way goes on to its end before.</summary>
    public void Owe(ScaleOrder order)
    {
        (_owed, _attempts, _dueAt) = (order, 0, runtime.Time.GetTimestamp());
        _pauses = new BackOff(runtime, rules.FirstPause, rules.LongestPause);
    }

    /// <summary>Nothing more is to be done.</summary>
    public void Drop() => _owed = null;

    /// <summary>Drops an order for brokers to come where there are as many by now.</summary>
    public void DropIfThere(int current)
    {
        if (_owed is { Victim: null } order && order.Desired > order.Current && current >= order.Desired)
        {
            Drop();
        }
    }

    /// <summary>Takes in what has ended, and begins what is due.</summary>
    /// <param name="token">Of the controller's term.</param>
    public async ValueTask AdvanceAsync(CancellationToken token)
    {
        if (_running is { Task.IsCompleted: true } done)
        {
            _running = null;
            await EndAsync(done.Task, done.Run, done.At);
        }

        if (_running is null && _owed is { } order && runtime.Time.GetTimestamp() >= _dueAt)
        {
            _last = new HookRun(order, runtime.Time.GetUtcNow(), ++_attempts, Took: null, End: null);
            ScaleMessages.Runs(_logger, order.Current, order.Desired, order.Victim, _attempts);
            _running = (hook.RunAsync(order, token), _last, runtime.Time.GetTimestamp());
        }
    }

    /// <summary>Waits for the one that is under way, whose token is cancelled.</summary>
    public async ValueTask CloseAsync()
    {
        if (_running is { } running)
        {
            _running = null;
            try
            {
                await running.Task;
            }
            catch (OperationCanceledException)
            {
                // It was ended where it was; the next controller decides anew.
            }
        }
    }

    private async ValueTask EndAsync(Task<HookEnd> task, HookRun run, long at)
    {
        // Whatever becomes of it: should it be a fault of ours, it is not repeated at once either.
        var pause = _pauses.Next();
        _lastEndedAt = runtime.Time.GetTimestamp();
        _dueAt = _lastEndedAt + (long)(pause.TotalSeconds * runtime.Time.TimestampFrequency);
        var end = await task;
        _last = run with { Took = runtime.Time.GetElapsedTime(at, _lastEndedAt), End = end };
        ended(_last);
        if (end.Outcome == HookOutcome.Done)
        {
            ScaleMessages.RunDone(_logger, (long)_last.Took!.Value.TotalMilliseconds);
            if (_owed == run.Order)
            {
                Drop();
            }
        }
        else
        {
            ScaleMessages.RunFailed(_logger, end.Outcome, run.Attempt, (long)_last.Took!.Value.TotalMilliseconds, end.Words, (long)pause.TotalSeconds);
        }
    }
}
