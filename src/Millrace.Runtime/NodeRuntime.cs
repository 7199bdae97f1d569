using Microsoft.Extensions.Logging;
using Millrace.Runtime.Files;

namespace Millrace.Runtime;

/// <summary>
/// Everything a node takes from its surroundings: time, scheduling, randomness, files, logs. The first constructor
/// parameter of every component that waits, draws lots or starts loops; the simulator makes one a node.
/// </summary>
/// <remarks>
/// Threading: all members may be used from any thread. Code awaits without ConfigureAwait, so that under simulation
/// every continuation stays on its node's lane.
/// </remarks>
public sealed partial class NodeRuntime(
    TimeProvider time, TaskScheduler scheduler, NodeRandom random, IFileSystem files, ILoggerFactory loggers) : IDisposable, IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly bool _isPart;

    // Loops that run, and one more until this is disposed.
    private int _running = 1;

    private NodeRuntime(NodeRuntime node)
        : this(node.Time, node.Scheduler, node.Random, node.Files, node.Loggers)
    {
        _isPart = true;
        _stopping = CancellationTokenSource.CreateLinkedTokenSource(node.Stopping);
    }

    public TimeProvider Time => time;

    /// <summary>Where the node's work runs: the thread pool in production, the node's lane in the simulator.</summary>
    public TaskScheduler Scheduler => scheduler;

    public NodeRandom Random => random;

    public IFileSystem Files => files;

    public ILoggerFactory Loggers => loggers;

    /// <summary>Cancelled when the node shuts down or has failed.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Completes with the first failure that no single stream, volume or connection could carry alone.</summary>
    public Task<Exception> Failed => _failed.Task;

    public Guid NewId() => random.NewId();

    /// <summary>
    /// The surroundings of a part of the node that has an end of its own: what is started there stops with it, or with the node, and what it cannot
    /// contain ends that part. Whoever began it hears of that by <see cref="Failed"/>, and says so.
    /// </summary>
    public NodeRuntime NewPart() => new(this);

    /// <summary>Starts a background loop. A loop that ends in anything but cancellation stops the node.</summary>
    /// <param name="name">Names the loop in logs, e.g. <c>wal-flusher</c>.</param>
    /// <param name="loop">Runs on <see cref="Scheduler"/>; its token is <see cref="Stopping"/>.</param>
    public Task Spawn(string name, Func<CancellationToken, Task> loop)
    {
        Interlocked.Increment(ref _running);
        try
        {
            return Task.Factory.StartNew(() => RunAsync(name, loop), CancellationToken.None, TaskCreationOptions.DenyChildAttach, scheduler).Unwrap();
        }
        catch
        {
            // There was no memory for the task: nothing has begun.
            EndOne();
            throw;
        }
    }

    /// <summary>Stops the node for a failure that it cannot contain, such as a broken invariant. The first one counts.</summary>
    public void Fail(Exception failure)
    {
        if (_failed.TrySetResult(failure))
        {
            if (!_isPart)
            {
                NodeFailed(loggers.CreateLogger<NodeRuntime>(), failure);
            }

            _stopping.Cancel();
        }
    }

    /// <summary>Begins an orderly stop: background loops see their token cancelled.</summary>
    public void Stop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    /// <summary>Stops, and waits until every loop has ended: nothing that was started here runs any more.</summary>
    public async ValueTask DisposeAsync()
    {
        Stop();
        EndOne();
        await _ended.Task;
        Dispose();
    }

    private async Task RunAsync(string name, Func<CancellationToken, Task> loop)
    {
        try
        {
            // Taken once: a node that was stopped may have been disposed by the time the loop ends.
            var stopping = Stopping;
            try
            {
                await loop(stopping);
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
            }
            catch (Exception failure)
            {
                Fail(new InvalidOperationException($"The background loop '{name}' failed: {failure.Message}", failure));
            }
        }
        finally
        {
            EndOne();
        }
    }

    private void EndOne()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _ended.TrySetResult();
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Critical, Message = "The node stops: something failed that it cannot contain")]
    private static partial void NodeFailed(ILogger logger, Exception failure);
}
