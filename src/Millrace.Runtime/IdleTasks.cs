namespace Millrace.Runtime;

/// <summary>Tasks of one kind that have served and may serve again.</summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="guard">Its user's lock, should one be held where a task is taken; it is held for a few instructions.</param>
public sealed class IdleTasks<T>(Lock guard)
    where T : ReusableTask<T>
{
    private const int Kept = 4096;
    private T? _first;
    private int _count;

    /// <summary>One that is idle, the taker's from now on; null if there is none, and a new one is to be made.</summary>
    public T? Take()
    {
        lock (guard)
        {
            return TakeUnderGuard();
        }
    }

    /// <summary>As <see cref="Take"/>, for one who holds the guard.</summary>
    public T? TakeUnderGuard()
    {
        if (_first is not { } task)
        {
            return null;
        }

        _first = task.Next;
        task.Next = null;
        _count--;
        return task;
    }

    internal void Add(T task)
    {
        lock (guard)
        {
            if (_count < Kept)
            {
                task.Next = _first;
                _first = task;
                _count++;
            }
        }
    }
}
