using Millrace.Cluster.Peers;
using Millrace.Network.Access;
using Millrace.Runtime;

namespace Millrace.Cluster.Liveness;

/// <summary>
/// Looks for nodes whose processes are gone, which need not be waited for: the connection that their heartbeats came by has ended, and their port refuses.
/// So it is with those that are silent and have none to this controller, since it has just begun.
/// </summary>
/// <remarks>
/// A port alone says little: somebody on the way may refuse what is new and swallow what is there, while the node answers reads by a lease that has not ended.
/// Threading: watching by any thread, probing by one loop.
/// </remarks>
/// <param name="runtime">Of the controller's term.</param>
/// <param name="questions">Finds out whether anybody is there.</param>
/// <param name="options">When a silent node is looked at.</param>
/// <param name="sessions">Of the nodes.</param>
/// <param name="clock">Of the sessions.</param>
/// <param name="fences">Gives up who is gone.</param>
internal sealed class GoneProbe(
    NodeRuntime runtime, PeerQuestions questions, ClusterOptions options, SessionTable sessions, SessionClock clock, Fences fences)
{
    private TaskCompletionSource _suspicion = NewSuspicion();

    /// <summary>A node's heartbeats come by a connection: when it ends, the process may have.</summary>
    public void Watch(NodeSession session, ClientConnection connection)
    {
        if (ReferenceEquals(session.Connection, connection))
        {
            return;
        }

        (session.Connection, session.HasLostConnection) = (connection, false);
        _ = runtime.Spawn("session-connection", async stopping =>
        {
            await connection.Ended.OrCancelled(stopping);
            if (ReferenceEquals(session.Connection, connection))
            {
                session.HasLostConnection = true;
                Volatile.Read(ref _suspicion).TrySetResult();
            }
        });
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await SuspicionOrTickAsync(stopping);
            var now = clock.Now;
            var suspects = sessions.Sweep()
                .Where(found => found.Node.Internal is not null && IsSuspect(found.Session, now))
                .ToList();
            var answers = await questions.AskAsync(suspects.Select(found => found.Node.Internal!), stopping);
            for (var i = 0; i < suspects.Count; i++)
            {
                if (answers[i].Silence == PeerSilence.Gone)
                {
                    var (node, session) = suspects[i];
                    session.End();
                    await fences.FenceAsync(node, session, LossCause.Gone, stopping);
                }
            }
        }
    }

    private bool IsSuspect(NodeSession session, TimeSpan now) =>
        session.HasLostConnection || (session.Connection is null && session.ReceivedAgo(now) >= options.ProbeTime);

    private async Task SuspicionOrTickAsync(CancellationToken stopping)
    {
        var suspicion = Volatile.Read(ref _suspicion).Task;
        using var settled = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        await Waiting.Either(suspicion, Task.Delay(SessionClock.Tick, runtime.Time, settled.Token));
        stopping.ThrowIfCancellationRequested();
        settled.Cancel();
        if (suspicion.IsCompleted)
        {
            // Who is suspected from now on is looked at in the next round.
            Volatile.Write(ref _suspicion, NewSuspicion());
        }
    }

    private static TaskCompletionSource NewSuspicion() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
