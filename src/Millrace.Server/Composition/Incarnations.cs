using System.Runtime.ExceptionServices;
using Millrace.Cluster.Membership;
using Millrace.Runtime;
using Millrace.Server.Options;
using Millrace.Streams;

namespace Millrace.Server.Composition;

/// <summary>
/// The incarnations of a node, one after another. One that is over is disposed of, and the next one registers in its place; the node fails only of what that
/// would meet again.
/// </summary>
/// <remarks>Threading: begun and lived by one flow; the properties and <see cref="Fail"/> by any thread.</remarks>
/// <param name="runtime">The node's.</param>
/// <param name="options">As the process was started.</param>
/// <param name="components">What every incarnation is made of.</param>
/// <param name="listeners">Stay bound between two incarnations.</param>
/// <param name="member">The process' place in its cluster, which outlives them.</param>
/// <param name="observer">Hears of each.</param>
/// <param name="logger">The node's.</param>
internal sealed class Incarnations(
    NodeRuntime runtime, NodeOptions options, NodeComponents components, HostListeners listeners, ClusterMember member, INodeObserver observer,
    ILogger logger)
{
    /// <summary>Disposing waits for no client, and for no store: what takes this long never ends.</summary>
    private static readonly TimeSpan DisposalLimit = TimeSpan.FromSeconds(30);

    private readonly Replacements _replacements = new(runtime);
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Incarnation? _current;

    /// <summary>The one that serves; null while there is none.</summary>
    public Incarnation? Current => _current;

    /// <summary>Completes, with the reason, when there can be no other.</summary>
    public Task<Exception> Failed => _failed.Task;

    /// <summary>Others may take a node for dead that starts slowly: then it comes again, as at any later time.</summary>
    public async Task BeginFirstAsync(CancellationToken token)
    {
        try
        {
            await BeginAsync(options, isReplacement: false, token);
        }
        catch (StreamException fenced) when (fenced.Error == StreamError.Fenced)
        {
            ServerMessages.NotReplaced(logger, _replacements.InARow, Replacements.MostInARow, fenced.Message);
            if (!await TryReplaceAsync(fenced, options, token))
            {
                ExceptionDispatchInfo.Throw(await _failed.Task);
            }
        }
    }

    /// <summary>Puts the next incarnation in the place of each that is over, until the node is to stop or has failed.</summary>
    public async Task LiveAsync(CancellationToken stop)
    {
        try
        {
            // The operator has given up what was missing when he started the process, and has not seen what may be missing later.
            var later = options with { AcceptLoss = [] };
            Exception reason;
            do
            {
                reason = await _current!.WaitUntilOverAsync().OrCancelled(stop);
            }
            while (await TryPutDownAsync(_current!, reason) && await TryReplaceAsync(reason, later, stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whoever stops the node goes on with what there is.
        }
    }

    /// <summary>The node can go on no longer.</summary>
    public void Fail(Exception reason)
    {
        if (IncarnationEnd.KindOf(reason) == EndKind.Fault)
        {
            ServerMessages.Fault(logger, reason);
        }

        _failed.TrySetResult(reason);
    }

    private async Task BeginAsync(NodeOptions with, bool isReplacement, CancellationToken token)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, member.Ended);
        Incarnation incarnation;
        try
        {
            incarnation = await new IncarnationStart(runtime, with, components, listeners, member, isReplacement).RunAsync(either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested && member.Failed.IsCompleted)
        {
            ExceptionDispatchInfo.Throw(ClusterMember.CauseOf(await member.Failed));
            throw;
        }

        _current = incarnation;
        _replacements.Serves();
        observer.OnServing(incarnation);
    }

    private async Task<bool> TryPutDownAsync(Incarnation incarnation, Exception reason)
    {
        ServerMessages.IncarnationOver(logger, incarnation.Self.Node, incarnation.Self.Epoch, reason.Message);
        _current = null;
        member.Registered = null;
        observer.OnOver(incarnation, reason);
        using var settled = new CancellationTokenSource();
        var disposing = incarnation.DisposeAsync().AsTask();
        await Waiting.Either(disposing, Task.Delay(DisposalLimit, runtime.Time, settled.Token));
        settled.Cancel();
        if (!disposing.IsCompleted)
        {
            Fail(new TimeoutException(
                $"Node {incarnation.Self.Node}, epoch {incarnation.Self.Epoch}, is over ({reason.Message}), " +
                $"and was not put down within {DisposalLimit.TotalSeconds} s."));
            return false;
        }

        await disposing;
        observer.OnGone(incarnation);
        return true;
    }

    private async Task<bool> TryReplaceAsync(Exception reason, NodeOptions with, CancellationToken stop)
    {
        var over = runtime.Time.GetTimestamp();
        while (IncarnationEnd.KindOf(reason) == EndKind.Passing)
        {
            if (_replacements.Next() is not { } pause)
            {
                Fail(new NodeStartException(
                    $"{Replacements.MostInARow} incarnations in a row could not start or were over within a minute, " +
                    $"the last for this reason: {reason.Message}", reason));
                return false;
            }

            await Task.Delay(pause, runtime.Time, stop);
            try
            {
                await BeginAsync(with, isReplacement: true, stop);
                ServerMessages.Replaced(logger, _current!.Self.Node, _current.Self.Epoch, (long)runtime.Time.GetElapsedTime(over).TotalMilliseconds);
                return true;
            }
            catch (Exception failure)
            {
                stop.ThrowIfCancellationRequested();
                ServerMessages.NotReplaced(logger, _replacements.InARow, Replacements.MostInARow, failure.Message);
                reason = failure;
            }
        }

        Fail(reason);
        return false;
    }
}
