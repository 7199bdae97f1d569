using Millrace.Cluster.Loads;
using Millrace.Metadata.Loads;
using Millrace.Runtime;

namespace Millrace.Cluster.Liveness;

/// <summary>Tells one controller that this node lives, by one link, and takes the lease that the answers grant.</summary>
/// <remarks>One at a time: each says that the answer before it has arrived. Threading: <see cref="Break"/> by any thread, the rest by the one loop.</remarks>
/// <param name="runtime">Of whoever sends them.</param>
/// <param name="options">How often, and by which rules.</param>
/// <param name="controller">As the seal of the metadata log names it.</param>
/// <param name="reports">What this node says of itself.</param>
/// <param name="ask">The link.</param>
/// <param name="heard">Hears with each answer how long the controller has waited for the store.</param>
internal sealed class Heartbeats(
    NodeRuntime runtime,
    ClusterOptions options,
    Guid controller,
    NodeReports reports,
    Func<NodeHeartbeatRequest, CancellationToken, ValueTask<NodeHeartbeatResponse>> ask,
    Action<TimeSpan>? heard = null)
{
    private readonly Lock _lock = new();
    private bool _isBroken;
    private long _answeredAt;
    private long _mark;

    // The last load that the controller is known to have heard by this link.
    private NodeLoad? _told;

    /// <summary>Until the token is cancelled, or the link fails with an <see cref="IOException"/>.</summary>
    public async Task RunAsync(CancellationToken token)
    {
        try
        {
            while (true)
            {
                if (reports.Lease is { } lease)
                {
                    await BeatAsync(lease, token);
                }

                await Task.Delay(options.HeartbeatInterval, runtime.Time, token);
            }
        }
        catch (IOException)
        {
            // Whoever has made the link sees it, and makes another one.
        }
        finally
        {
            Break();
        }
    }

    /// <summary>
    /// The link is broken: the lease is given up at once, and no answer that is still on its way renews it. The controller may see the same, take this process
    /// for gone, and not wait for the lease.
    /// </summary>
    public void Break()
    {
        lock (_lock)
        {
            if (!_isBroken)
            {
                _isBroken = true;
                reports.Lease?.GiveUp();
            }
        }
    }

    // A link that swallows what is sent would be taken for a controller that thinks.
    private async ValueTask<NodeHeartbeatResponse> AskAsync(NodeHeartbeatRequest request, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(options.SuspicionTime / 2, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        try
        {
            return await ask(request, either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            throw new IOException("The controller does not answer heartbeats");
        }
    }

    private async ValueTask BeatAsync(ReadLease lease, CancellationToken token)
    {
        var load = reports.Load;
        var isNews = load is not null && !ReferenceEquals(load, _told);
        var sentAt = runtime.Time.GetTimestamp();
        var request = new NodeHeartbeatRequest
        {
            ControllerId = controller,
            NodeId = lease.Holder.Node.Value,
            NodeEpoch = lease.Holder.Epoch.Value,
            Term = reports.Term,
            AnswerMark = _mark,
            AnswerAgeMs = _mark == 0 ? -1 : (long)runtime.Time.GetElapsedTime(_answeredAt, sentAt).TotalMilliseconds,
            StalledMs = (long)reports.Stalled.TotalMilliseconds,
            Load = isNews ? LoadForms.Write(load!) : null,
        };
        var answer = await AskAsync(request, token);
        if ((HeartbeatOutcome)answer.Outcome != HeartbeatOutcome.Heard)
        {
            return;
        }

        (_answeredAt, _mark, _told) = (runtime.Time.GetTimestamp(), answer.Mark, load);
        heard?.Invoke(TimeSpan.FromMilliseconds(answer.StalledMs));
        if (answer.LeaseMs > 0)
        {
            lock (_lock)
            {
                if (!_isBroken)
                {
                    lease.Extend(options.Rules.Until(sentAt, _answeredAt, answer.LeaseMs * (runtime.Time.TimestampFrequency / 1_000)));
                }
            }
        }
    }
}
