namespace Millrace.Streams.Upload;

/// <summary>Wakes the one loop that waits on it. Setting it twice before the loop looks wakes the loop once.</summary>
/// <remarks>Threading: any thread sets; one loop waits.</remarks>
internal sealed class UploadSignal
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _waiting;
    private bool _set;

    public void Set()
    {
        TaskCompletionSource? waiting;
        lock (_lock)
        {
            waiting = _waiting;
            _waiting = null;
            _set = waiting is null;
        }

        waiting?.SetResult();
    }

    public Task WaitAsync()
    {
        lock (_lock)
        {
            if (_set)
            {
                _set = false;
                return Task.CompletedTask;
            }

            _waiting ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _waiting.Task;
        }
    }
}
