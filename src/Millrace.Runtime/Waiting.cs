namespace Millrace.Runtime;

/// <summary>
/// Waits for tasks in ways that stay on the simulator's lanes. The framework's own (<c>Task.WaitAsync</c>, <c>Task.WhenAny</c>)
/// hop over the thread pool when the task belongs to a source that runs its continuations asynchronously, as all of ours do.
/// </summary>
public static class Waiting
{
#pragma warning disable RS0030 // On the thread pool the framework's own are right, and cheaper.
    /// <summary>Waits for a task, or until the token is cancelled. The task itself goes on.</summary>
    public static Task OrCancelled(this Task task, CancellationToken token) =>
        task.IsCompleted || OnThreadPool ? task.WaitAsync(token) : OnLaneAsync(task, token);

    /// <inheritdoc cref="OrCancelled(Task, CancellationToken)"/>
    public static Task<T> OrCancelled<T>(this Task<T> task, CancellationToken token) =>
        task.IsCompleted || OnThreadPool ? task.WaitAsync(token) : OnLaneAsync(task, token);

    /// <summary>Waits until one of two tasks has completed, however it did.</summary>
    public static Task Either(Task first, Task second) =>
        OnThreadPool ? Task.WhenAny(first, second) : EitherOnLaneAsync(first, second);
#pragma warning restore RS0030

    private static bool OnThreadPool => TaskScheduler.Current == TaskScheduler.Default;

    // Hands on what the task ends with instead of awaiting it: each await of a failed task throws once more, and simulated stores fail all day.
    private static Task<T> OnLaneAsync<T>(Task<T> task, CancellationToken token)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var registration = token.UnsafeRegister(_ => done.TrySetCanceled(token), null);
        task.GetAwaiter().UnsafeOnCompleted(() =>
        {
            registration.Unregister();
            done.TrySetFromTask(task);
        });
        return done.Task;
    }

    private static Task OnLaneAsync(Task task, CancellationToken token)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var registration = token.UnsafeRegister(_ => done.TrySetCanceled(token), null);
        task.GetAwaiter().UnsafeOnCompleted(() =>
        {
            registration.Unregister();
            done.TrySetFromTask(task);
        });
        return done.Task;
    }

    private static Task EitherOnLaneAsync(Task first, Task second)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        first.GetAwaiter().UnsafeOnCompleted(() => done.TrySetResult());
        second.GetAwaiter().UnsafeOnCompleted(() => done.TrySetResult());
        return done.Task;
    }
}
