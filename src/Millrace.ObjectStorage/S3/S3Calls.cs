using System.Diagnostics.CodeAnalysis;
using Millrace.Runtime;

namespace Millrace.ObjectStorage.S3;

/// <summary>How calls to an S3 server are made: a bounded number at once, failures translated, and repeated on the node's clock.</summary>
/// <param name="runtime">The clock, and lots for the pauses.</param>
/// <param name="name">What messages call the store.</param>
/// <param name="atOnce">How many calls may be under way.</param>
/// <param name="timeout">How long one attempt may take, beside the time that its bytes get (<see cref="CallLimit"/>).</param>
[SuppressMessage("Design", "CA1068", Justification = "The call reads best where it stands, behind all that describes it")]
internal sealed class S3Calls(NodeRuntime runtime, string name, int atOnce, TimeSpan timeout)
{
    private const int Attempts = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private readonly AsyncGate _requests = new(atOnce);
    private readonly StoreRetry _retry = new(runtime, FirstPause, LongestPause) { Attempts = Attempts };

    /// <summary>Makes a call without a body again after a passing failure. For calls that may happen more than once.</summary>
    public Task<T> RepeatAsync<T>(string operation, string key, CancellationToken token, Func<CancellationToken, Task<T>> call) =>
        RepeatAsync(operation, key, bytes: 0, token, call);

    /// <summary>Makes a call again after a passing failure, with more time for its bytes.</summary>
    public async Task<T> RepeatAsync<T>(string operation, string key, long bytes, CancellationToken token, Func<CancellationToken, Task<T>> call) =>
        await _retry.UntilAnsweredAsync(attempt => AttemptAsync(operation, key, CallLimit.For(timeout, bytes, attempt), token, call), token);

    /// <summary>Makes a call exactly once, when there is room for it, and says what its failure means.</summary>
    public Task<T> TryOnceAsync<T>(string operation, string key, long bytes, CancellationToken token, Func<CancellationToken, Task<T>> call) =>
        AttemptAsync(operation, key, CallLimit.Longest(timeout, bytes), token, call).AsTask();

    /// <summary>Ends after a while: for what is tidied up behind a failure, which nobody shall wait for. The caller disposes it.</summary>
    public CancellationTokenSource Within(TimeSpan time) => new(time, runtime.Time);

    private async ValueTask<T> AttemptAsync<T>(string operation, string key, TimeSpan time, CancellationToken token, Func<CancellationToken, Task<T>> call)
    {
        await _requests.EnterAsync(token);
        using var limit = new CancellationTokenSource(time, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        try
        {
            return await call(either.Token);
        }
        catch (Exception failure) when (S3Errors.IsFailure(failure) && !token.IsCancellationRequested)
        {
            throw new ObjectStorageException(
                S3Errors.Classify(failure),
                $"{name}: {operation} '{key}' failed: "
                + (failure is OperationCanceledException ? $"no answer within {time.TotalSeconds:0} s" : S3Errors.Describe(failure)),
                failure) { IsForWantOfRoom = S3Errors.IsForWantOfRoom(failure) };
        }
        catch (Exception failure) when (S3Errors.IsFailure(failure) && failure is not OperationCanceledException)
        {
            throw new OperationCanceledException($"{name}: {operation} '{key}' was given up", failure, token);
        }
        finally
        {
            _requests.Exit();
        }
    }
}
