using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.Runtime;

namespace Millrace.Streams.Registry;

/// <summary>
/// Repeats calls to the object store and the registry until they succeed: data that is acknowledged has nowhere else to go. Only
/// answers that will not change end it: those of the registry, and what no store answers, which is a fault in here. That is repeated a few times,
/// lest a passing shortage of memory end a node, and then stops it, which the next start may get over.
/// </summary>
/// <remarks>
/// Not a <see cref="StoreRetry"/>, which repeats what the store itself calls passing: here a store that refuses (its keys were changed, say) is waited for,
/// too, until somebody has seen to it; the registry's refusals are verdicts; and it is told in the log, with a count of its own, that data waits. Threading:
/// any thread.
/// </remarks>
/// <param name="runtime">Time and chance.</param>
/// <param name="options">The pauses.</param>
/// <param name="logger">Hears of every failure.</param>
/// <param name="failures">Counts them; null where nobody watches.</param>
internal sealed class Retry(NodeRuntime runtime, StreamsOptions options, ILogger logger, Counter<long>? failures = null)
{
    // Over a minute, with the usual pauses.
    private const int UnexpectedInARow = 16;

    /// <inheritdoc cref="UntilDoneAsync{T}"/>
    public async Task UntilDoneAsync(
        string operation, Func<CancellationToken, ValueTask> attempt, CancellationToken token, bool repeatsOutOfMemory = true) =>
        await UntilDoneAsync(
            operation,
            async cancel =>
            {
                await attempt(cancel);
                return true;
            },
            token,
            repeatsOutOfMemory);

    /// <param name="operation">For the log, e.g. <c>Committing an upload</c>.</param>
    /// <param name="attempt">Idempotent.</param>
    /// <param name="token">Ends it.</param>
    /// <param name="repeatsOutOfMemory">False where the caller can do with less.</param>
    /// <exception cref="StreamException">Anything but StorageUnavailable and ControllerLost.</exception>
    /// <exception cref="Exception">Something unexpected, again and again, or one that <see cref="IsFinal"/>.</exception>
    public async Task<T> UntilDoneAsync<T>(
        string operation, Func<CancellationToken, ValueTask<T>> attempt, CancellationToken token, bool repeatsOutOfMemory = true)
    {
        var unexpected = 0;
        return await new BackOff(runtime, options.RetryDelay, options.RetryLimit).RepeatAsync(
            _ =>
            {
                token.ThrowIfCancellationRequested();
                return attempt(token);
            },
            (failure, _) => IsAway(failure) || (MayPass(failure) && ++unexpected <= UnexpectedInARow),
            (failure, _, pause) =>
            {
                failures?.Add(1);
                if (IsAway(failure))
                {
                    unexpected = 0;
                    StreamsMessages.RetryingStore(logger, operation, pause, failure.Message);
                }
                else
                {
                    StreamsMessages.RetryingUnexpected(logger, failure, operation, pause);
                }
            },
            token);

        bool MayPass(Exception failure) => failure is not (StreamException or InvariantViolationException) && !IsFinal(failure)
            && (repeatsOutOfMemory || failure is not OutOfMemoryException)
            && !(failure is OperationCanceledException && token.IsCancellationRequested);
    }

    /// <summary>The store or the controller is not there at the moment, or does not do what it should.</summary>
    private static bool IsAway(Exception failure) =>
        failure is ObjectStorageException or StreamException { Error: StreamError.StorageUnavailable or StreamError.ControllerLost };

    /// <summary>What was asked for is impossible, however often it is tried.</summary>
    public static bool IsFinal(Exception failure) => failure is ArgumentException or OverflowException or NotSupportedException;
}
