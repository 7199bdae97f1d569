using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Controller.Log;

/// <summary>The newest steps of the metadata log, up to a few megabytes, for those who follow it.</summary>
/// <remarks>Threading: adding by the log's one caller, reading by any thread. Each reader waits at most once at a time.</remarks>
internal sealed class RecentRing
{
    /// <summary>Bytes of steps that are kept.</summary>
    public const int Capacity = 16 << 20;

    private readonly Lock _lock = new();
    private readonly LinkedList<LogStep> _steps = new();
    private LogPlace _first;
    private LogPlace _next;
    private long _bytes;
    private TaskCompletionSource _news = NewSignal();

    /// <summary>Begins anew: what comes next is the step at a place, and nothing before it is known.</summary>
    public void Restart(LogPlace first)
    {
        lock (_lock)
        {
            _steps.Clear();
            (_first, _next, _bytes) = (first, first, 0);
        }
    }

    /// <summary>The log goes on by a step, which is kept.</summary>
    public void Add(LogStep step)
    {
        TaskCompletionSource news;
        lock (_lock)
        {
            _next = step.Next;
            _steps.AddLast(step);
            _bytes += step.Length;
            while (_bytes > Capacity && _steps.First is { } oldest)
            {
                _steps.RemoveFirst();
                _bytes -= oldest.Value.Length;
                _first = oldest.Value.Next;
            }

            (news, _news) = (_news, NewSignal());
        }

        news.SetResult();
    }

    /// <summary>The log goes on by a step that says nothing to those who read here.</summary>
    public void Skip(LogStep step)
    {
        lock (_lock)
        {
            _next = step.Next;
        }
    }

    /// <inheritdoc cref="RecentEntries.Read"/>
    public RecentPart? Read(LogPlace next, int maxBytes)
    {
        lock (_lock)
        {
            if (next < _first)
            {
                return null;
            }

            var part = new List<LogStep>();
            var bytes = 0L;
            var node = _steps.Last;
            while (node?.Previous is { } previous && previous.Value.Place >= next)
            {
                node = previous;
            }

            for (; node is not null; node = node.Next)
            {
                if (node.Value.Place >= next)
                {
                    if (part.Count > 0 && bytes + node.Value.Length > maxBytes)
                    {
                        return new RecentPart(part, part[^1].Next, Task.CompletedTask);
                    }

                    part.Add(node.Value);
                    bytes += node.Value.Length;
                }
            }

            return new RecentPart(part, next > _next ? next : _next, part.Count > 0 ? Task.CompletedTask : _news.Task);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
