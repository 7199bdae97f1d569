using Microsoft.Extensions.Logging;
using Millrace.Protocol.Primitives;
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
    // The node that leads the partition uploads what it has when it is told to hand it over, and waits for this one.
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);

    private readonly NodeRuntime _runtime;
    private readonly LoadingShard<TShard, TRecord> _shard;
    private readonly int _worthTelling;
    private readonly CancellationTokenSource _taken;
    private readonly Task _reading;

    /// <summary>Begins to read.</summary>
    /// <param name="runtime">Time, and the scheduler.</param>
    /// <param name="name">Names the partition in logs.</param>
    /// <param name="shard">An empty one; this one's from now on.</param>
    /// <param name="read">Reads on.</param>
    /// <param name="tell">Hears how far it has come, each time that it has read all there was.</param>
    /// <param name="worthTelling">From so many records on: fewer are read sooner than anybody could hear of it.</param>
    public WarmShard(
        NodeRuntime runtime, string name, LoadingShard<TShard, TRecord> shard, Func<LoadingShard<TShard, TRecord>, CancellationToken, Task> read,
        Func<long, CancellationToken, Task> tell, int worthTelling)
    {
        _worthTelling = worthTelling;
        _runtime = runtime;
        _shard = shard;
        _taken = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
        var (logger, token) = (runtime.Loggers.CreateLogger("Millrace.Coordination"), _taken.Token);
        _reading = runtime.Spawn("coordinator-warm-up", _ => RunAsync(logger, name, read, tell, token));
    }

    /// <summary>Ends the reading.</summary>
    /// <returns>The shard as far as it was read; null if it is of no use.</returns>
    public async Task<LoadingShard<TShard, TRecord>?> TakeAsync()
    {
        Stop();
        await _reading;
        return _shard.IsWhole ? _shard : null;
    }

    /// <summary>Nobody is going to take it.</summary>
    public void Stop() => _taken.Cancel();

    private async Task RunAsync(
        ILogger logger, string name, Func<LoadingShard<TShard, TRecord>, CancellationToken, Task> read, Func<long, CancellationToken, Task> tell,
        CancellationToken token)
    {
        var told = 0L;
        try
        {
            while (!token.IsCancellationRequested)
            {
                try
                {
                    await read(_shard, token);
                    if (_shard.Records >= _worthTelling && _shard.NextOffset > told)
                    {
                        await tell(_shard.NextOffset, token);
                        told = _shard.NextOffset;
                    }
                }
                catch (CoordinatorException refused) when (_shard.IsWhole)
                {
                    CoordinationMessages.WarmUpFailed(logger, name, refused.Message);
                }

                await Task.Delay(Pace, _runtime.Time, token);
            }
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // It was taken.
        }
        catch (Exception failure) when (failure is CoordinatorException or ProtocolException or OutOfMemoryException)
        {
            // Who leads it next meets that again, or not.
            CoordinationMessages.WarmUpFailed(logger, name, failure.Message);
        }
    }
}
