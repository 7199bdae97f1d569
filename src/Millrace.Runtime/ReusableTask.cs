using System.Threading.Tasks.Sources;

namespace Millrace.Runtime;

/// <summary>
/// A task that its maker completes by hand and one caller awaits, once; then it is idle and serves again. What completes a hundred thousand
/// times a second leaves no garbage.
/// </summary>
/// <remarks>
/// Ownership: whoever took it from the idle ones makes it theirs, hands <see cref="Task"/> out once, and completes or fails it once. Awaiting
/// gives it back; <see cref="GiveBack"/> does so where it turned out not to be needed. Threading: one step at a time, by any thread.
/// </remarks>
/// <typeparam name="TSelf">The kind of task, which says what it is a task of.</typeparam>
public abstract class ReusableTask<TSelf> : IValueTaskSource
    where TSelf : ReusableTask<TSelf>
{
    private readonly IdleTasks<TSelf> _idle;
    private ManualResetValueTaskSourceCore<bool> _core;

    /// <param name="idle">Where it goes back to.</param>
    /// <param name="continuesOnItsOwn">Whether who awaits it goes on elsewhere; else it goes on within the call that completes it.</param>
    protected ReusableTask(IdleTasks<TSelf> idle, bool continuesOnItsOwn)
    {
        _idle = idle;
        _core.RunContinuationsAsynchronously = continuesOnItsOwn;
    }

    /// <summary>To be awaited once.</summary>
    public ValueTask Task => new(this, _core.Version);

    /// <summary>The one behind it, in whatever line it stands: that of the idle ones, or its user's.</summary>
    public TSelf? Next { get; set; }

    public void Complete() => _core.SetResult(true);

    public void Fail(Exception failure) => _core.SetException(failure);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    public void GetResult(short token)
    {
        // Who asks too early, or once more, gets nothing, and must not take it from its user or give it back a second time: two would have it.
        if (_core.GetStatus(token) == ValueTaskSourceStatus.Pending)
        {
            throw new InvalidOperationException("A reusable task has a result when it is complete");
        }

        try
        {
            _core.GetResult(token);
        }
        finally
        {
            _core.Reset();
            GiveBack();
        }
    }

    /// <summary>It was not needed, or is no more.</summary>
    public void GiveBack()
    {
        Forget();
        _idle.Add((TSelf)this);
    }

    /// <summary>Lets go of what it was a task of.</summary>
    protected abstract void Forget();
}
