using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Cluster.Liveness;
using Millrace.Network.Links;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Cluster.Following;

/// <summary>Follows one controller in another process: its entries go on with this node's copy of the metadata, and this node's requests go to it.</summary>
/// <param name="runtime">Of this node.</param>
/// <param name="peers">Connects to it.</param>
/// <param name="options">How patient this node is.</param>
/// <param name="copy">Follows.</param>
/// <param name="finder">Hears where requests go.</param>
/// <param name="self">Names this node in the controller's log.</param>
/// <param name="reports">What this node tells the controller of itself.</param>
/// <param name="takesWrites">Whether the store does, from here.</param>
/// <param name="isNext">Whether this node is the first that would take its place; null while it is no member.</param>
/// <param name="owner">Whom it follows, and where that is.</param>
internal sealed class ControllerFollower(
    NodeRuntime runtime,
    IConnectionFactory peers,
    ClusterOptions options,
    MetadataCopy copy,
    ControllerFinder finder,
    string self,
    NodeReports reports,
    Func<CancellationToken, Task<bool>> takesWrites,
    Func<bool?> isNext,
    TermOwner owner)
{
    private const int MaxBytes = 1 << 20;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<ControllerFollower>();
    private readonly BackOff _pauses = new(runtime, FirstPause, LongestPause);
    private readonly long _began = runtime.Time.GetTimestamp();
    private readonly TaskCompletionSource _isCutOff = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _heardAt;
    private long _stalledMs;
    private bool _isChecking;

    public TermOwner Owner => owner;

    /// <summary>How long ago the controller was heard; null if it never was.</summary>
    public TimeSpan? HeardAgo => Volatile.Read(ref _heardAt) is var at and not 0 ? runtime.Time.GetElapsedTime(at) : null;

    /// <summary>Follows until the controller is lost. A connection that breaks is dialled again. To be called once.</summary>
    public async Task<FollowEnd> RunAsync(CancellationToken token)
    {
        do
        {
            try
            {
                return await FollowAsync(token);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return FollowEnd.Gone;
            }
            catch (Exception broken) when (broken is IOException or SocketException or ProtocolException
                || (broken is OperationCanceledException && !token.IsCancellationRequested))
            {
                await _pauses.PauseAsync(token);
            }
        }
        while (!_isCutOff.Task.IsCompleted && (HeardAgo ?? runtime.Time.GetElapsedTime(_began)) < options.SuspicionTime);
        return _isCutOff.Task.IsCompleted ? FollowEnd.CutFromStore : FollowEnd.Silent;
    }

    private async Task<FollowEnd> FollowAsync(CancellationToken token)
    {
        await using var news = await ConnectAsync("news", token);
        await using var calls = await ConnectAsync("calls", token);
        await using var heartbeats = await ConnectAsync("heartbeats", token);
        var beats = new Heartbeats(
            runtime, options, owner.Id, reports,
            (request, ending) => heartbeats.CallAsync<NodeHeartbeatRequest, NodeHeartbeatResponse>(request, ending),
            stalled => Judge(stalled, token));
        var beating = runtime.Spawn("heartbeats", _ => beats.RunAsync(token));
        _ = runtime.Spawn("heartbeat-link", async _ =>
        {
            await heartbeats.Lost;
            beats.Break();
        });
        var broken = Waiting.Either(Waiting.Either(calls.Lost, _isCutOff.Task), Waiting.Either(heartbeats.Lost, beating));
        var link = RemoteController.Over(calls, owner.Id);
        try
        {
            while (true)
            {
                await copy.KeepAsync(isNext());
                var answer = await AskAsync(news, broken, token);
                switch ((FollowOutcome)answer.Outcome)
                {
                    case FollowOutcome.NotController:
                        return FollowEnd.Resigned;
                    case FollowOutcome.TooFarBack:
                        return FollowEnd.TooFarBack;
                    case FollowOutcome.Followed when TryApply(answer):
                        Volatile.Write(ref _heardAt, runtime.Time.GetTimestamp());
                        _pauses.Reset();
                        if (!finder.HasFound)
                        {
                            finder.Found(link);
                        }

                        break;
                    case FollowOutcome.Followed:
                        // The bucket has what is missing here; or says why it cannot be read.
                        return FollowEnd.TooFarBack;
                }
            }
        }
        finally
        {
            finder.Lost(link);
        }
    }

    private async ValueTask<FollowMetadataResponse> AskAsync(PeerConnection news, Task broken, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(options.SuspicionTime, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        var request = new FollowMetadataRequest
        {
            ControllerId = owner.Id,
            NextTerm = copy.Next.Term,
            NextIndex = copy.Next.Index,
            // The first answer is wanted at once: it says that the controller is there.
            MaxWaitMs = finder.HasFound ? (int)options.PollTime.TotalMilliseconds : 0,
            MaxBytes = MaxBytes,
            Whole = copy.IsWhole,
        };
        var asking = news.CallAsync<FollowMetadataRequest, FollowMetadataResponse>(request, either.Token).AsTask();
        await Waiting.Either(asking, broken);
        // Whatever goes by the other connections would not be heard of either.
        return asking.IsCompleted ? await asking : throw new IOException($"A connection to the controller at {owner.Host}:{owner.Port} is lost");
    }

    /// <summary>
    /// A controller whose writes do not arrive commits nothing: whoever can write to the store takes its place. If nobody can, the store is away.
    /// </summary>
    private void Judge(TimeSpan stalled, CancellationToken token)
    {
        Volatile.Write(ref _stalledMs, (long)stalled.TotalMilliseconds);
        if (stalled >= options.StallTime && !Interlocked.Exchange(ref _isChecking, true))
        {
            _ = runtime.Spawn("store-check", async _ =>
            {
                // Twice: a store that was away for all, and is back, may have answered this node first.
                var works = await takesWrites(token);
                await Task.Delay(options.StallTime, runtime.Time, token);
                if (works && Volatile.Read(ref _stalledMs) >= options.StallTime.TotalMilliseconds && await takesWrites(token))
                {
                    _isCutOff.TrySetResult();
                }

                Volatile.Write(ref _isChecking, false);
            });
        }
    }

    /// <returns>Whether it follows what is known here.</returns>
    private bool TryApply(FollowMetadataResponse answer)
    {
        try
        {
            foreach (var entry in answer.Entries)
            {
                var place = new LogPlace(entry.Term, entry.Index);
                copy.Feed(entry.SealId == Guid.Empty ? LogStep.Entry(place, entry.Records) : LogStep.Seal(place, entry.SealId, entry.Records));
            }

            copy.Feed(LogStep.Tail(new LogPlace(answer.NextTerm, answer.NextIndex)));
            return true;
        }
        catch (ProtocolException refused)
        {
            ClusterMessages.DoesNotFollow(_logger, owner.Host, owner.Port, refused.Message);
            return false;
        }
    }

    private async ValueTask<PeerConnection> ConnectAsync(string purpose, CancellationToken token)
    {
        using var patience = new CancellationTokenSource(options.SuspicionTime, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, token);
        return new PeerConnection(runtime, await peers.ConnectAsync(new DnsEndPoint(owner.Host, owner.Port), either.Token), $"{self}-{purpose}");
    }
}
