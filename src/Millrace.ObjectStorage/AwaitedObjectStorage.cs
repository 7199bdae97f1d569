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

    // Together with what a check may take well below what a node is given up for.
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan ProbeInterval = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();

    // Under _lock, as all below: how many calls are under way, since when none has been answered, if any is owed an answer, and when the last one ended
    // without. Which calls they are is not asked: what is owed begins with the oldest, or with the last answer.
    private int _underWay;
    private long? _owingSince;
    private long _unansweredAt;

    public string Name => inner.Name;

    public StoreTrouble? Trouble => inner.Trouble;

    /// <summary>Asks it itself for a small write. That is owed to nobody.</summary>
    public StoreCheck Check { get; } = new(runtime, inner);

    /// <summary>How long it has answered nothing of what it was asked for. Zero while nobody waits.</summary>
    public TimeSpan Owing
    {
        get
        {
            lock (_lock)
            {
                Forget_NeedsLock();
                return _owingSince is { } since ? runtime.Time.GetElapsedTime(since) : TimeSpan.Zero;
            }
        }
    }

    /// <summary>
    /// Asks it for a small write, again and again for as long as it owes an answer: one that swallows writes may answer reads. Ends with the token.
    /// </summary>
    public async Task ProbeAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(ProbeInterval, runtime.Time, stopping);
            if ((Owing >= ProbeAfter || Check.MayHaveLeft) && await Check.AskAsync(stopping) != StoreAnswer.None)
            {
                lock (_lock)
                {
                    Answered_NeedsLock();
                }
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

    private async ValueTask<bool> AwaitAsync(Func<ValueTask> call) =>
        await AwaitAsync(
            async () =>
            {
                await call();
                return true;
            });

    private async ValueTask<T> AwaitAsync<T>(Func<ValueTask<T>> call)
    {
        Begin();
        var isAnswered = false;
        try
        {
            var answer = await call();
            isAnswered = true;
            return answer;
        }
        catch (ObjectStorageException refusal) when (refusal.IsAnswer)
        {
            isAnswered = true;
            throw;
        }
        finally
        {
            End(isAnswered);
        }
    }

    private void Begin()
    {
        lock (_lock)
        {
            Forget_NeedsLock();
            _owingSince ??= runtime.Time.GetTimestamp();
            _underWay++;
        }
    }

    private void End(bool isAnswered)
    {
        lock (_lock)
        {
            _underWay--;
            if (isAnswered)
            {
                Answered_NeedsLock();
            }
            else
            {
                _unansweredAt = runtime.Time.GetTimestamp();
            }
        }
    }

    private void Answered_NeedsLock() => _owingSince = _underWay > 0 ? runtime.Time.GetTimestamp() : null;

    // Nobody has come again.
    private void Forget_NeedsLock()
    {
        if (_underWay == 0 && _owingSince is not null && runtime.Time.GetElapsedTime(_unansweredAt) >= LongestPause)
        {
            _owingSince = null;
        }
    }
}
