namespace Millrace.Runtime.Files.Linux;

/// <summary>A few threads that do one device's blocking calls in the order they come.</summary>
/// <remarks>
/// They sleep on a monitor while there is nothing to do: the collections that .NET offers for this spin and yield first, which under
/// a moderate load cost more than the calls.
/// </remarks>
internal sealed class DeviceThreads : IAsyncDisposable
{
    // A WAL has a handful of calls under way; a caller that exceeds this waits, which bounds the queue.
    private const int QueueLength = 256;
    private readonly object _monitor = new();
    private readonly Queue<Action> _queue = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isClosed;
    private int _alive;

    internal DeviceThreads(string name, int count)
    {
        _alive = count;
        for (var i = 0; i < count; i++)
        {
            new Thread(Run) { IsBackground = true, Name = name }.Start();
        }
    }

    /// <summary>A call that has begun cannot be cancelled; the token counts until then.</summary>
    internal Task RunAsync(Action call, CancellationToken token)
    {
        var completion = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_monitor)
        {
            while (_queue.Count == QueueLength && !_isClosed)
            {
                Monitor.Wait(_monitor);
            }

            ObjectDisposedException.ThrowIf(_isClosed, this);
            _queue.Enqueue(() => Complete(call, completion, token));
            Monitor.Pulse(_monitor);
        }

        return completion.Task;
    }

    /// <summary>What is queued is still done.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_monitor)
        {
            _isClosed = true;
            Monitor.PulseAll(_monitor);
        }

        await _ended.Task;
    }

    private static void Complete(Action call, TaskCompletionSource completion, CancellationToken token)
    {
        if (token.IsCancellationRequested)
        {
            completion.SetCanceled(token);
            return;
        }

        try
        {
            call();
        }
        catch (Exception failure)
        {
            completion.SetException(failure);
            return;
        }

        completion.SetResult();
    }

    private void Run()
    {
        while (Next() is { } call)
        {
            call();
        }

        if (Interlocked.Decrement(ref _alive) == 0)
        {
            _ended.SetResult();
        }
    }

    /// <summary>The next call, or null when there will be none.</summary>
    private Action? Next()
    {
        lock (_monitor)
        {
            while (_queue.Count == 0)
            {
                if (_isClosed)
                {
                    return null;
                }

                Monitor.Wait(_monitor);
            }

            if (_queue.Count == QueueLength)
            {
                // A caller may wait for room.
                Monitor.PulseAll(_monitor);
            }

            return _queue.Dequeue();
        }
    }
}
