using Millrace.Runtime;

namespace Millrace.ObjectStorage;

/// <summary>
/// Makes a call to a store again while the store fails for the moment, which most of its failures are; what the store refuses for good ends it at once.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
/// <param name="runtime">Time and lots.</param>
/// <param name="firstPause">After the first failure; each pause is twice as long as the one before.</param>
/// <param name="longestPause">The longest one.</param>
public sealed class StoreRetry(NodeRuntime runtime, TimeSpan firstPause, TimeSpan longestPause)
{
    /// <summary>How often a call is made at most. For ever by default: only the caller's token ends it.</summary>
    public int Attempts { get; init; } = int.MaxValue;

    /// <summary>Hears of each failure that is followed by another attempt, with the number of the one that failed, from 1.</summary>
    public Action<ObjectStorageException, int>? Failed { get; init; }

    /// <summary>Makes a call until the store answers it.</summary>
    /// <param name="call">Gets the number of the attempt, from 1. Whatever it did when its answer was lost, it may do again.</param>
    /// <param name="token">Ends the pauses; the call has it of its caller.</param>
    /// <exception cref="ObjectStorageException">Not transient; or transient, of the last attempt.</exception>
    public ValueTask<T> UntilAnsweredAsync<T>(Func<int, ValueTask<T>> call, CancellationToken token) =>
        new BackOff(runtime, firstPause, longestPause).RepeatAsync(call, MayPass, Failed is null ? null : Report, token);

    /// <summary>As <see cref="UntilAnsweredAsync{T}(Func{int, ValueTask{T}}, CancellationToken)"/>, where every attempt is the same.</summary>
    public ValueTask<T> UntilAnsweredAsync<T>(Func<ValueTask<T>> call, CancellationToken token) => UntilAnsweredAsync(_ => call(), token);

    private bool MayPass(Exception failure, int attempt) =>
        failure is ObjectStorageException { Error: ObjectStorageError.Transient } && attempt < Attempts;

    private void Report(Exception failure, int attempt, TimeSpan pause) => Failed!((ObjectStorageException)failure, attempt);
}
