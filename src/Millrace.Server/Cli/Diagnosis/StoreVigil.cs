using Millrace.ObjectStorage;
using Millrace.Runtime;

namespace Millrace.Server.Cli.Diagnosis;

/// <summary>
/// Gives up work on a store that has not done what it is asked for too long: the calls themselves are repeated for ever, as a broker needs it, whose data
/// has nowhere else to go.
/// </summary>
/// <param name="runtime">The clock.</param>
/// <param name="storage">Knows of its own trouble.</param>
/// <param name="patience">How long it may last at a stretch.</param>
internal sealed class StoreVigil(NodeRuntime runtime, IObjectStorage storage, TimeSpan patience)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>Does the work, as long as the store does its own.</summary>
    /// <exception cref="CommandFailedException">The store was away; says which, and what it answered. Nothing goes on behind this.</exception>
    public async Task<T> DoAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken token)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(token);
        var working = work(ending.Token);
        var away = WhenAwayAsync(ending.Token);
        await Waiting.Either(working, away);
        ending.Cancel();
        try
        {
            return await working;
        }
        catch (Exception ended) when (away.IsCompletedSuccessfully && ended is OperationCanceledException or ObjectStorageException)
        {
            throw new CommandFailedException(
                ExitCode.Unreachable, $"{(await away).Words}. It was waited for, for {patience.TotalSeconds:0.###} s; --timeout gives it longer.");
        }
    }

    private async Task<StoreTrouble> WhenAwayAsync(CancellationToken token)
    {
        long? since = null;
        while (true)
        {
            await Task.Delay(LookInterval, runtime.Time, token);
            var trouble = storage.Trouble;
            since = trouble is null ? null : since ?? runtime.Time.GetTimestamp();
            if (trouble is not null && runtime.Time.GetElapsedTime(since!.Value) >= patience)
            {
                return trouble;
            }
        }
    }
}
