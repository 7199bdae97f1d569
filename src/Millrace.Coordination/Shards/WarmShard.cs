using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <summary>
/// A shard that is read here while another node leads its partition, since this one is to lead it next. It is read on, as more is committed, until
/// it is taken.
/// </summary>
/// <remarks>Threading: any thread. Failure: whoever takes it reads what it lacks.</remarks>
internal sealed class WarmShard<TShard, TRecord>
    where TShard : class, ICoordinatorShard<TRecord>
{
    // The node that leads the partition uploads what it has when it is told to hand it over, and waits for this one. It may take long to come to that.
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly NodeRuntime _runtime;
    private readonly CancellationTokenSource _taken;
    private readonly Task _reading;
    private LoadingShard<TShard, TRecord>? _shard;

    /// <summary>Begins to read.</summary>
    /// <param name="runtime">Time, and the scheduler.</param>
    /// <param name="name">Names the partition in logs.</param>
    /// <param name="create">Makes an empty one.</param>
    /// <param name="read">Reads on.</param>
    /// <param name="tell">Hears how far it has come, whenever it has read all there was.</param>
    public WarmShard(
        NodeRuntime runtime, string name, Func<LoadingShard<TShard, TRecord>> create,
        Func<LoadingShard<TShard, TRecord>, CancellationToken, Task> read, Func<long, CancellationToken, Task> tell)
    {
        _runtime = runtime;
        _taken = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
        var (logger, token) = (runtime.Loggers.CreateLogger("Millrace.Coordination"), _taken.Token);
        _reading = runtime.Spawn("coordinator-warm-up", _ => RunAsync(logger, name, create, read, tell, token));
    }

    /// <summary>Ends the reading.</summary>
    /// <returns>The shard as far as it was read; null if it is of no use.</returns>
    public async Task<LoadingShard<TShard, TRecord>?> TakeAsync()
    {
        Stop();
        await _reading;
        var taken = _shard;
        _shard = null;
        return taken is { IsWhole: true } ? taken : null;
    }

    /// <summary>Nobody is going to take it.</summary>
    public void Stop() => _taken.Cancel();

    private async Task RunAsync(
        ILogger logger, string name, Func<LoadingShard<TShard, TRecord>> create, Func<LoadingShard<TShard, TRecord>, CancellationToken, Task> read,
        Func<long, CancellationToken, Task> tell, CancellationToken token)
    {
        var pauses = new BackOff(_runtime, ShortestPause, LongestPause);
        for (var isFirst = true; !token.IsCancellationRequested; isFirst = false)
        {
            try
            {
                if (!isFirst)
                {
                    await pauses.PauseAsync(token);
                }

                if (_shard is not { IsWhole: true } shard)
                {
                    _shard = shard = create();
                }

                var before = shard.NextOffset;
                await read(shard, token);
                await tell(shard.NextOffset, token);
                if (shard.NextOffset > before)
                {
                    pauses.Reset();
                }
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                return;
            }
            catch (CoordinatorException refused)
            {
                CoordinationMessages.WarmUpFailed(logger, name, refused.Message);
            }
            catch (Exception failure) when (failure is not InvariantViolationException)
            {
                // It need not be read beforehand, and nobody else is to be hurt by that. Who leads it meets the failure again, or does not.
                CoordinationMessages.WarmUpFailed(logger, name, failure.Message);
                return;
            }
        }
    }
}
