using System.Collections.Concurrent;

namespace Millrace.Runtime;

/// <summary>A few threads that do one device's blocking calls in the order they come.</summary>
internal sealed class DeviceThreads : IAsyncDisposable
{
    // A WAL has a handful of calls under way; a caller that exceeds this waits, which bounds the queue.
    private const int QueueLength = 256;
    private readonly BlockingCollection<Action> _queue = new(QueueLength);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
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
        _queue.Add(() => Complete(call, completion, token), CancellationToken.None);
        return completion.Task;
    }

    public async ValueTask DisposeAsync()
    {
        _queue.CompleteAdding();
        await _ended.Task;
        _queue.Dispose();
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
        foreach (var call in _queue.GetConsumingEnumerable())
        {
            call();
        }

        if (Interlocked.Decrement(ref _alive) == 0)
        {
            _ended.SetResult();
        }
    }
}
