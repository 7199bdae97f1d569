using System.Net.Sockets;
using Millrace.Benchmarks.Failover;
using Millrace.Network.Links;
using Millrace.Protocol;
using Millrace.Server.Cli;

namespace Millrace.Benchmarks.Drain;

/// <summary>
/// The only member of a group: it sends a heartbeat and commits one offset more, again and again. It asks the brokers itself, so that what is seen is what
/// they take: librdkafka, where its coordinator moves while a commit is under way, asks for the next one only twice a second, and may not get through for
/// longer than a short session lasts.
/// </summary>
/// <remarks>Threading: works on the thread pool.</remarks>
internal sealed class CommittingMember : IAsyncDisposable
{
    private const string ClientId = "bench";
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    // The shortest that a group may ask for.
    private static readonly TimeSpan Session = TimeSpan.FromSeconds(6);

    private readonly AcknowledgementGaps _gaps = new(partitions: 1);
    private readonly ClusterUnderTest _cluster;
    private readonly string _topic;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _working;
    private PeerConnection? _coordinator;
    private string _memberId = "";
    private int _generation = -1;
    private int _joins;
    private long _committed;

    /// <param name="cluster">Where its coordinator is.</param>
    /// <param name="group">Its group.</param>
    /// <param name="topic">For whose first partition it commits.</param>
    public CommittingMember(ClusterUnderTest cluster, string group, string topic)
    {
        (_cluster, Group, _topic) = (cluster, group, topic);
        _working = Task.Run(WorkAsync);
    }

    public string Group { get; }

    /// <summary>How often it has joined: once, if nothing has disturbed the group.</summary>
    public int Joins => Volatile.Read(ref _joins);

    /// <summary>The last offset whose commit was acknowledged.</summary>
    public long Committed => Interlocked.Read(ref _committed);

    /// <summary>The longest time between two commits that were acknowledged, each after a heartbeat that was, since this was called before.</summary>
    public TimeSpan LongestGap() => _gaps.Take()[0];

    /// <summary>Ends its work.</summary>
    /// <exception cref="InvalidOperationException">It was refused something, for another reason than that its coordinator is elsewhere or loads.</exception>
    public Task StopAsync()
    {
        _stopping.Cancel();
        return _working;
    }

    public async ValueTask DisposeAsync()
    {
        _stopping.Cancel();
        await _working.ContinueWith(_ => { }, TaskScheduler.Default);
        await LeaveCoordinatorAsync();
        _stopping.Dispose();
    }

    private async Task WorkAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                _coordinator ??= await FindCoordinatorAsync();
                var error = _coordinator is null ? ErrorCode.CoordinatorNotAvailable : await StepAsync(_coordinator);
                await Task.Delay(await AnswerAsync(error) ? Pace : Pause);
            }
            catch (Exception lost) when (lost is IOException or SocketException)
            {
                // Asked again at the next.
                await LeaveCoordinatorAsync();
            }
        }
    }

    private async Task<PeerConnection?> FindCoordinatorAsync()
    {
        var answer = await DirectQuestion.AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(
            _cluster.Client(), new FindCoordinatorRequest { CoordinatorKeys = [Group] }, Patience, CancellationToken.None);
        return answer?.Coordinators[0] is { ErrorCode: (short)ErrorCode.None } found
            ? await BrokerConnections.OpenAsync(found.Host, found.Port, ClientId, CancellationToken.None)
            : null;
    }

    /// <summary>Joins, if it is no member; is alive and commits, if it is one.</summary>
    private async Task<ErrorCode> StepAsync(PeerConnection coordinator)
    {
        if (_generation < 0)
        {
            return await JoinAsync(coordinator);
        }

        using var patience = new CancellationTokenSource(Patience);
        var alive = await coordinator.CallAsync<HeartbeatRequest, HeartbeatResponse>(
            new HeartbeatRequest { GroupId = Group, GenerationId = _generation, MemberId = _memberId }, patience.Token);
        return alive.ErrorCode == (short)ErrorCode.None ? await CommitAsync(coordinator, patience.Token) : (ErrorCode)alive.ErrorCode;
    }

    private async Task<ErrorCode> CommitAsync(PeerConnection coordinator, CancellationToken token)
    {
        // The highest version that knows topics by their names.
        const short Version = 9;
        var request = new OffsetCommitRequest
        {
            GroupId = Group,
            GenerationIdOrMemberEpoch = _generation,
            MemberId = _memberId,
            Topics = [new() { Name = _topic, Partitions = [new() { PartitionIndex = 0, CommittedOffset = _committed + 1 }] }],
        };
        var answer = await coordinator.CallAsync<OffsetCommitRequest, OffsetCommitResponse>(request, Version, token);
        var error = (ErrorCode)answer.Topics[0].Partitions[0].ErrorCode;
        if (error == ErrorCode.None)
        {
            Interlocked.Increment(ref _committed);
            _gaps.Acknowledge(0);
        }

        return error;
    }

    private async Task<ErrorCode> JoinAsync(PeerConnection coordinator)
    {
        using var patience = new CancellationTokenSource(Patience);
        var joined = await coordinator.CallAsync<JoinGroupRequest, JoinGroupResponse>(
            new JoinGroupRequest
            {
                GroupId = Group,
                SessionTimeoutMs = (int)Session.TotalMilliseconds,
                RebalanceTimeoutMs = (int)Session.TotalMilliseconds,
                MemberId = _memberId,
                ProtocolType = "consumer",
                Protocols = [new() { Name = "range", Metadata = Array.Empty<byte>() }],
            },
            patience.Token);
        _memberId = joined.MemberId;
        if (joined.ErrorCode != (short)ErrorCode.None)
        {
            return (ErrorCode)joined.ErrorCode;
        }

        var synced = await coordinator.CallAsync<SyncGroupRequest, SyncGroupResponse>(
            new SyncGroupRequest
            {
                GroupId = Group,
                GenerationId = joined.GenerationId,
                MemberId = _memberId,
                ProtocolType = joined.ProtocolType,
                ProtocolName = joined.ProtocolName,
                Assignments = [new() { MemberId = _memberId, Assignment = Array.Empty<byte>() }],
            },
            patience.Token);
        if (synced.ErrorCode == (short)ErrorCode.None)
        {
            _generation = joined.GenerationId;
            Interlocked.Increment(ref _joins);
        }

        return (ErrorCode)synced.ErrorCode;
    }

    /// <summary>Does what a client has to do about an answer.</summary>
    /// <returns>Whether it may take its time.</returns>
    private async Task<bool> AnswerAsync(ErrorCode error)
    {
        switch (error)
        {
            case ErrorCode.None:
                return true;
            case ErrorCode.MemberIdRequired or ErrorCode.CoordinatorLoadInProgress:
                return false;
            case ErrorCode.NotCoordinator or ErrorCode.CoordinatorNotAvailable:
                await LeaveCoordinatorAsync();
                return false;
            case ErrorCode.UnknownMemberId or ErrorCode.IllegalGeneration or ErrorCode.RebalanceInProgress:
                _generation = -1;
                _memberId = error == ErrorCode.UnknownMemberId ? "" : _memberId;
                return false;
            default:
                throw new InvalidOperationException($"{Group} was refused: {error}");
        }
    }

    private async Task LeaveCoordinatorAsync()
    {
        if (_coordinator is { } former)
        {
            _coordinator = null;
            await former.DisposeAsync();
        }
    }
}
