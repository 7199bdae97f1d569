using System.Buffers;
using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Another store, of which it is known how long it has answered nothing to one who waits for it. It changes nothing: results, failures and their order are
/// the other store's, which outlives it.
/// </summary>
/// <remarks>
/// A call that fails, or that its caller gives up, has not been answered, and as a rule is made again soon: so what is owed goes on growing over the
/// attempts. Any answer ends it, a refusal too, since whoever is cut off from a store gets none. One request that is lost on its way, or that takes long, is
/// no such thing: <see cref="ProbeAsync"/> asks something small beside it. Threading: any thread.
/// </remarks>
/// <param name="runtime">Whose time counts.</param>
/// <param name="inner">Is asked.</param>
public sealed class AwaitedObjectStorage(NodeRuntime runtime, IObjectStorage inner) : IObjectStorage
{
    /// <summary>Whoever repeats a call comes again within so long; if nobody does, nothing is owed to anybody.</summary>
    internal static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    // Together well below what a node is given up for.
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(500);

    // No object has it: an answer says that there is none.
    private const string ProbeKey = "probe";

    private readonly Lock _lock = new();

    // Under _lock, as all below: when each call that is under way was begun; timestamps, in order.
    private readonly LinkedList<long> _underWay = new();
    private long _answeredAt = long.MinValue;

    // Of the calls since the last answer that have ended without one: when the first was begun, and when the last ended.
    private long _unansweredSince = long.MaxValue;
    private long _unansweredAt;

    public string Name => inner.Name;

    public StoreTrouble? Trouble => inner.Trouble;

    /// <summary>How long it has answered nothing of what it was asked for. Zero while nobody waits.</summary>
    public TimeSpan Owing
    {
        get
        {
            lock (_lock)
            {
                if (_underWay.Count == 0)
                {
                    Forget_NeedsLock();
                }

                var oldest = _underWay.First?.Value ?? long.MaxValue;
                var since = Math.Max(Math.Min(oldest, _unansweredSince), _answeredAt);
                var now = runtime.Time.GetTimestamp();
                return since < now ? runtime.Time.GetElapsedTime(since, now) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>
    /// Asks it something small, again and again for as long as it owes an answer. Ends with the token.
    /// </summary>
    public async Task ProbeAsync(CancellationToken stopping)
    {
        var nothing = new byte[1];
        while (true)
        {
            await Task.Delay(ProbeInterval, runtime.Time, stopping);
            if (Owing < ProbeAfter)
            {
                continue;
            }

            using var limit = new CancellationTokenSource(ProbeLimit, runtime.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
            try
            {
                await inner.ReadAsync(ProbeKey, 0, nothing, either.Token);
                Answered();
            }
            catch (ObjectStorageException refusal) when (IsAnswer(refusal))
            {
                Answered();
            }
            catch (Exception trouble) when (trouble is ObjectStorageException || limit.IsCancellationRequested)
            {
                // It goes on owing.
            }
        }
    }

    public ValueTask<bool> TryCreateAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) =>
        AwaitAsync(() => inner.TryCreateAsync(key, body, token));

    public async ValueTask PutAsync(string key, ReadOnlySequence<byte> body, CancellationToken token) =>
        await AwaitAsync(() => inner.PutAsync(key, body, token));

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken token) => AwaitAsync(() => inner.GetAsync(key, token));

    public ValueTask<int> ReadAsync(string key, long position, Memory<byte> destination, CancellationToken token) =>
        AwaitAsync(() => inner.ReadAsync(key, position, destination, token));

    public ValueTask<IReadOnlyList<ObjectEntry>> ListAsync(string prefix, string? startAfter, int limit, CancellationToken token) =>
        AwaitAsync(() => inner.ListAsync(prefix, startAfter, limit, token));

    public async ValueTask DeleteAsync(IReadOnlyList<string> keys, CancellationToken token) => await AwaitAsync(() => inner.DeleteAsync(keys, token));

    public ValueTask<IReadOnlyList<UnfinishedUpload>> ListUnfinishedUploadsAsync(string prefix, CancellationToken token) =>
        AwaitAsync(() => inner.ListUnfinishedUploadsAsync(prefix, token));

    public async ValueTask AbortUploadAsync(UnfinishedUpload upload, CancellationToken token) =>
        await AwaitAsync(() => inner.AbortUploadAsync(upload, token));

    /// <summary>Nothing: the other store is its owner's.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static bool IsAnswer(ObjectStorageException refusal) => refusal.Error != ObjectStorageError.Transient;

    private async ValueTask<bool> AwaitAsync(Func<ValueTask> call) =>
        await AwaitAsync(
            async () =>
            {
                await call();
                return true;
            });

    private async ValueTask<T> AwaitAsync<T>(Func<ValueTask<T>> call)
    {
        var begun = Begin();
        var isAnswered = false;
        try
        {
            var answer = await call();
            isAnswered = true;
            return answer;
        }
        catch (ObjectStorageException refusal) when (IsAnswer(refusal))
        {
            isAnswered = true;
            throw;
        }
        finally
        {
            End(begun, isAnswered);
        }
    }

    private LinkedListNode<long> Begin()
    {
        lock (_lock)
        {
            if (_underWay.Count == 0)
            {
                Forget_NeedsLock();
            }

            return _underWay.AddLast(runtime.Time.GetTimestamp());
        }
    }

    private void Answered()
    {
        lock (_lock)
        {
            Answered_NeedsLock();
        }
    }

    private void Answered_NeedsLock() => (_answeredAt, _unansweredSince) = (runtime.Time.GetTimestamp(), long.MaxValue);

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
                Answered_NeedsLock();
            }
            else
            {
                _unansweredSince = Math.Min(_unansweredSince, call.Value);
                _unansweredAt = runtime.Time.GetTimestamp();
            }
        }
    }
}
