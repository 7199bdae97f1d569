using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>Makes the calls of one piece of work until the store answers each of them, for as long as that may take in all.</summary>
/// <remarks>Threading: any thread.</remarks>
public sealed class StorePatience
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private ObjectStorageException? _lastFailure;

    private StorePatience(NodeRuntime runtime, CancellationToken token)
    {
        Retry = new StoreRetry(runtime, FirstPause, LongestPause) { Failed = (failure, _) => _lastFailure = failure };
        Token = token;
    }

    /// <summary>Ends when patience does, or the caller.</summary>
    public CancellationToken Token { get; }

    /// <summary>How the calls are made. Goes with <see cref="Token"/>.</summary>
    public StoreRetry Retry { get; }

    /// <summary>Does a piece of work.</summary>
    /// <param name="runtime">Time and lots.</param>
    /// <param name="storage">Whose answers are waited for.</param>
    /// <param name="limit">How long the store is waited for; <see cref="Timeout.InfiniteTimeSpan"/> for ever.</param>
    /// <param name="work">Makes its calls by <see cref="UntilAnsweredAsync"/>, with <see cref="Token"/>.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="ObjectStorageException">Transient, with the store's last answer, when patience is at its end; whatever else the work
    /// throws.</exception>
    public static async ValueTask<T> DoAsync<T>(
        NodeRuntime runtime, IObjectStorage storage, TimeSpan limit, Func<StorePatience, ValueTask<T>> work, CancellationToken token)
    {
        using var end = new CancellationTokenSource(limit, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, token);
        var patience = new StorePatience(runtime, either.Token);
        try
        {
            return await work(patience);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested && !token.IsCancellationRequested)
        {
            throw patience._lastFailure ?? new ObjectStorageException(
                ObjectStorageError.Transient, $"{storage.Name}: no answer within {limit.TotalSeconds:0.###} s");
        }
    }

    /// <summary>Makes a call again and again while the store fails for the moment.</summary>
    public ValueTask<T> UntilAnsweredAsync<T>(Func<ValueTask<T>> call) => Retry.UntilAnsweredAsync(call, Token);
}
