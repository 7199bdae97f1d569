using System.Buffers;
using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Another store, of which it is known how long it has answered nothing to one who waits for it. It changes nothing: results, failures and their order are
/// the other store's, which outlives it.
/// </summary>
/// <remarks>
/// A call that fails, or that its caller gives up, has not been answered, and as a rule is made again soon: so what is owed goes on growing over the
/// attempts. Any answer ends it, since whoever is cut off from a store gets none. Threading: any thread.
/// </remarks>
/// <param name="runtime">Whose time counts.</param>
/// <param name="inner">Is asked.</param>
public sealed class AwaitedObjectStorage(NodeRuntime runtime, IObjectStorage inner) : IObjectStorage
{
    /// <summary>Whoever repeats a call comes again within so long; if nobody does, nothing is owed to anybody.</summary>
    internal static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();

    // Under _lock, as all below: when the answer to each call that is under way was due; timestamps.
    private readonly LinkedList<long> _underWay = new();
    private long _answeredAt = long.MinValue;

    // Of the calls since the last answer that have ended without one: when the first was due, and when the last ended.
    private long _unansweredSince = long.MaxValue;
    private long _unansweredAt;

    public string Name => inner.Name;

    public StoreTrouble? Trouble => inner.Trouble;

    /// <summary>How long it has answered nothing of what it was asked for, beside the time that bytes take. Zero while nobody waits.</summary>
    public TimeSpan Owing
    {
        get
        {
            lock (_lock)
            {
                var since = long.MaxValue;
                foreach (var due in _underWay)
                {
                    since = Math.Min(since, due);
                }

                if (_underWay.Count == 0)
                {
                    Forget_NeedsLock();
                }

                since = Math.Max(Math.Min(since, _unansweredSince), _answeredAt);
                var now = runtime.Time.GetTimestamp();
                return since < now ? runtime.Time.GetElapsedTime(since, now) : TimeSpan.Zero;
            }
        }
    }

    public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) =>
        AwaitAsync(body.Length, () => inner.TryCreateAsync(key, body, token));

    public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) =>
        await AwaitAsync(body.Length, () => inner.PutAsync(key, body, token));

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken token) => AwaitAsync(CallLimit.UnknownBody, () => inner.GetAsync(key, token));

    public ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token) =>
        AwaitAsync(destination.Length, () => inner.ReadAsync(key, position, destination, token));

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
        AwaitAsync(0, () => inner.ListAsync(prefix, startAfter, limit, token));

    public async ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) => await AwaitAsync(0, () => inner.DeleteAsync(keys, token));

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        AwaitAsync(0, () => inner.ListUnfinishedUploadsAsync(prefix, token));

    public async ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) => await AwaitAsync(0, () => inner.AbortUploadAsync(upload, token));

    /// <summary>Nothing: the other store is its owner's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async ValueTask<bool> AwaitAsync(long bytes, Func<ValueTask> call) =>
        await AwaitAsync(
            bytes,
            async () =>
            {
                await call();
                return true;
            });

    private async ValueTask<T> AwaitAsync<T>(long bytes, Func<ValueTask<T>> call)
    {
        var begun = Begin(bytes);
        var isAnswered = false;
        try
        {
            var answer = await call();
            isAnswered = true;
            return answer;
        }
        finally
        {
            End(begun, isAnswered);
        }
    }

    private LinkedListNode<long> Begin(long bytes)
    {
        var time = CallLimit.For(TimeSpan.Zero, bytes, attempt: 1);
        lock (_lock)
        {
            if (_underWay.Count == 0)
            {
                Forget_NeedsLock();
            }

            return _underWay.AddLast(runtime.Time.GetTimestamp() + (long)(time.TotalSeconds * runtime.Time.TimestampFrequency));
        }
    }

    // Nobody has come again.
    private void Forget_NeedsLock()
    {
        if (_unansweredSince != long.MaxValue && runtime.Time.GetElapsedTime(_unansweredAt) >= LongestPause)
        {
            _unansweredSince = long.MaxValue;
        }
    }

    private void End(LinkedListNode<long> call, bool isAnswered)
    {
        lock (_lock)
        {
            _underWay.Remove(call);
            if (isAnswered)
            {
                (_answeredAt, _unansweredSince) = (runtime.Time.GetTimestamp(), long.MaxValue);
            }
            else
            {
                _unansweredSince = Math.Min(_unansweredSince, call.Value);
                _unansweredAt = runtime.Time.GetTimestamp();
            }
        }
    }
}
