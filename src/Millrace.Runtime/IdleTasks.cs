namespace Millrace.Runtime;

/// <summary>Tasks of one kind that have served and may serve again.</summary>
/// <remarks>Threading: any thread.</remarks>
public sealed class IdleTasks<T>
    where T : ReusableTask<T>
{
    private const int Kept = 4096;
    private readonly Lock _lock = new();
    private T? _first;
    private int _count;

    /// <summary>One that is idle, the taker's from now on; null if there is none, and a new one is to be made.</summary>
    public T? Take()
    {
        lock (_lock)
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
    }

    internal void Add(T task)
    {
        lock (_lock)
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
