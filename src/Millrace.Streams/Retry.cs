using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.Runtime;

namespace Millrace.Streams;

/// <summary>
/// Repeats calls to the object store and the registry until they succeed: data that is acknowledged has nowhere else to go. Only
/// answers that will not change end it, and what the same call would meet for ever: its own arguments.
/// </summary>
/// <param name="runtime">Time and chance.</param>
/// <param name="options">The pauses.</param>
/// <param name="logger">Hears of every failure.</param>
/// <param name="failures">Counts them; null where nobody watches.</param>
internal sealed class Retry(NodeRuntime runtime, StreamsOptions options, ILogger logger, Counter<long>? failures = null)
{
    /// <param name="operation">For the log, e.g. <c>Committing an upload</c>.</param>
    /// <param name="attempt">Idempotent.</param>
    /// <param name="token">Ends it.</param>
    /// <param name="repeatsOutOfMemory">False where the caller can do with less.</param>
    /// <exception cref="StreamException">Anything but StorageUnavailable.</exception>
    /// <exception cref="Exception">One that <see cref="IsFinal"/>.</exception>
    public async Task<T> UntilDoneAsync<T>(string operation, Func<CancellationToken, ValueTask<T>> attempt, CancellationToken token, bool repeatsOutOfMemory = true)
    {
        for (var delay = options.RetryDelay; ; delay = Min(delay * 2, options.RetryLimit))
        {
            token.ThrowIfCancellationRequested();
            // Half of the pause is drawn, lest everybody comes back at once.
            var pause = delay * (0.5 + runtime.Random.NextDouble() / 2);
            try
            {
                return await attempt(token);
            }
            catch (ObjectStorageException failure)
            {
                Log.Retrying(logger, operation, pause, failure.Message);
            }
            catch (StreamException failure) when (failure.Error == StreamError.StorageUnavailable)
            {
                Log.Retrying(logger, operation, pause, failure.Message);
            }
            catch (Exception failure) when (failure is not (StreamException or InvariantViolationException) && !IsFinal(failure)
                && (repeatsOutOfMemory || failure is not OutOfMemoryException)
                && !(failure is OperationCanceledException && token.IsCancellationRequested))
            {
                Log.RetryingUnexpected(logger, failure, operation, pause);
            }

            failures?.Add(1);
            await Task.Delay(pause, runtime.Time, token);
        }
    }

    /// <summary>What was asked for is impossible, however often it is tried.</summary>
    public static bool IsFinal(Exception failure) => failure is ArgumentException or OverflowException or NotSupportedException;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
