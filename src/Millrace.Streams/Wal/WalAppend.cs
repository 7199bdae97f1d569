using System.Threading.Tasks.Sources;

namespace Millrace.Streams.Wal;

/// <summary>One append on its way into a WAL, and the task its caller awaits, once. Used again afterwards.</summary>
internal sealed class WalAppend(WalAppendQueue queue) : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core = new() { RunContinuationsAsynchronously = true };

    public StreamRecord Record { get; private set; }

    public long Position { get; private set; }

    /// <summary>The one behind it in the queue, in its group, or among those that may be used again.</summary>
    public WalAppend? Next { get; set; }

    public void Complete() => _core.SetResult(true);

    public void Fail(StreamException failure) => _core.SetException(failure);

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    public void GetResult(short token)
    {
        try
        {
            _core.GetResult(token);
        }
        finally
        {
            Record = default;
            Next = null;
            _core.Reset();
            queue.Recycle(this);
        }
    }

    internal ValueTask Begin(in StreamRecord record, long position)
    {
        Record = record;
        Position = position;
        return new(this, _core.Version);
    }
}
