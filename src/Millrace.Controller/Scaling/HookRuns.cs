using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Controller.Scaling;

/// <summary>Has orders carried out, one at a time, and says when one is due that was told before. Which one stands, it does not know.</summary>
/// <remarks>Threading: one flow; <see cref="Last"/> by any thread.</remarks>
/// <param name="runtime">Time and lots.</param>
/// <param name="hook">Runs the command.</param>
/// <param name="rules">How long the pauses are.</param>
/// <param name="ended">Hears of each run that has ended.</param>
internal sealed class HookRuns(NodeRuntime runtime, IScalerHook hook, ScaleRules rules, Action<HookRun> ended)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<Scaler>();
    private BackOff _pauses = new(runtime, rules.FirstPause, rules.LongestPause);

    // What the last run was told, for as long as the same order is a repetition of it.
    private ScaleOrder? _told;
    private int _attempts;
    private long _dueAt;
    private (Task<HookEnd> Task, HookRun Run, long At)? _running;
    private volatile HookRun? _last;

    /// <summary>The one under way, or the last that ended; null if there was none.</summary>
    public HookRun? Last => _last;

    public bool IsRunning => _running is not null;

    /// <summary>
    /// Whether an order is to be told now: at once where it is a new one, after a pause that grows where the command has failed, and where it has not, when
    /// what it was to bring about has had its time.
    /// </summary>
    public bool IsDue(ScaleOrder order) => _running is null && !(WasTold(order) && runtime.Time.GetTimestamp() < _dueAt);

    /// <summary>The command has said that it has done this, or is about to.</summary>
    public bool HasDone(ScaleOrder order) => _running is null && WasTold(order) && _last is { End.Outcome: HookOutcome.Done };

    /// <summary>Has an order that is due carried out.</summary>
    /// <param name="order">It stands.</param>
    /// <param name="token">Of the controller's term.</param>
    public void Begin(ScaleOrder order, CancellationToken token)
    {
        if (!WasTold(order))
        {
            (_attempts, _pauses) = (0, new BackOff(runtime, rules.FirstPause, rules.LongestPause));
        }

        _told = order;
        _last = new HookRun(order, runtime.Time.GetUtcNow(), ++_attempts, Took: null, End: null);
        ScaleMessages.Runs(_logger, order.Current, order.Desired, order.Victim, _attempts);
        _running = (hook.RunAsync(order, token), _last, runtime.Time.GetTimestamp());
    }

    /// <summary>What was told is over: the same again is another order.</summary>
    public void Settle() => _told = null;

    /// <summary>Takes in what has ended.</summary>
    public async ValueTask TakeInAsync()
    {
        if (_running is not { Task.IsCompleted: true } done)
        {
            return;
        }

        _running = null;
        HookEnd end;
        try
        {
            end = await done.Task;
        }
        catch (Exception fault)
        {
            // A fault of ours, or the term ends. Nobody is to take it for one that still runs.
            end = new HookEnd(HookOutcome.Failed, fault.Message);
        }

        var endedAt = runtime.Time.GetTimestamp();
        var took = runtime.Time.GetElapsedTime(done.At, endedAt);
        ended(_last = done.Run with { Took = took, End = end });
        if (end.Outcome == HookOutcome.Done)
        {
            _attempts = 0;
            _pauses.Reset();
            _dueAt = After(endedAt, rules.Patience);
            ScaleMessages.RunDone(_logger, (long)took.TotalMilliseconds);
            return;
        }

        var pause = _pauses.Next();
        _dueAt = After(endedAt, pause);
        ScaleMessages.RunFailed(_logger, end.Outcome, done.Run.Attempt, (long)took.TotalMilliseconds, end.Words, (long)pause.TotalSeconds);
    }

    /// <summary>Waits until the run that is under way, whose token is cancelled, has been ended. What is still to be told the next controller finds.</summary>
    public async ValueTask CloseAsync()
    {
        if (_running is { } running)
        {
            _running = null;

            // However it ends: nobody asks any more.
            await Waiting.Either(running.Task, running.Task);
        }
    }

    private bool WasTold(ScaleOrder order) => _told is { } told && (told.Desired, told.Victim) == (order.Desired, order.Victim);

    private long After(long timestamp, TimeSpan time) => timestamp + (long)(time.TotalSeconds * runtime.Time.TimestampFrequency);
}
