using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Clients;

/// <summary>What a process asks the controller for when it begins and ends an incarnation, and about the WALs of former ones.</summary>
/// <remarks>
/// Every call can be repeated, and is where the controller is lost: the next one is asked the same. Each may end with a
/// <see cref="StreamException"/>: StorageUnavailable, when too many requests wait.
/// </remarks>
/// <param name="runtime">Of whoever asks.</param>
/// <param name="channel">The way to the controller.</param>
public sealed class NodeRegistry(NodeRuntime runtime, IControllerChannel channel)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Registers an incarnation, under the id that its operator gave it, else under the one that the name has. A former one of that id is fenced in
    /// the same entry.
    /// </summary>
    /// <exception cref="StreamException">Fenced: this very incarnation has been fenced since it registered.</exception>
    /// <exception cref="RegistrationException">The id that it asks for cannot be had, or its times do not fit those of the nodes that live.</exception>
    public async ValueTask<NodeIncarnation> RegisterAsync(NodeRegistration registration, CancellationToken token)
    {
        var request = new RegisterNodeRequest
        {
            IncarnationId = registration.Incarnation,
            Endpoints =
            [
                .. registration.Endpoints.Select(endpoint => new RegisterNodeRequest.Endpoint
                {
                    Listener = endpoint.Listener.Value,
                    Host = endpoint.Host,
                    Port = endpoint.Port,
                }),
            ],
            Rack = registration.Rack,
            WantedId = registration.WantedId?.Value ?? -1,
            Program = registration.Program,
            InternalHost = registration.Internal?.Host,
            InternalPort = registration.Internal?.Port ?? -1,
            Name = registration.Name,
            Devices = [.. registration.Devices],
            LeaseMs = (int)(registration.Times?.Lease.TotalMilliseconds ?? 0),
            FenceMs = (int)(registration.Times?.Fence.TotalMilliseconds ?? 0),
        };
        var response = await AskAsync<RegisterNodeRequest, RegisterNodeResponse>(request, token);
        return new NodeIncarnation(new NodeId(response.NodeId), new NodeEpoch(response.NodeEpoch));
    }

    /// <summary>
    /// Makes a WAL known; only then may anything be written to it. An incarnation has a default, and perhaps one of each other kind, which it makes known
    /// before that.
    /// </summary>
    /// <param name="node">Who writes it.</param>
    /// <param name="wal">The WAL.</param>
    /// <param name="isAdditional">Only those streams lie in it whose topics ask for its kind.</param>
    /// <param name="token">Ends the wait; the call can be repeated.</param>
    /// <exception cref="StreamException">Fenced.</exception>
    public async ValueTask RegisterWalAsync(NodeIncarnation node, WalDescriptor wal, bool isAdditional, CancellationToken token)
    {
        var request = new RegisterWalRequest
        {
            NodeId = node.Node.Value,
            NodeEpoch = node.Epoch.Value,
            WalId = wal.Id,
            Kind = (sbyte)wal.Kind,
            Location = wal.Location,
            IsAdditional = isAdditional,
        };
        await AskAsync<RegisterWalRequest, RegisterWalResponse>(request, token);
    }

    /// <summary>The node reaches these devices now, and no others: what waits for WALs that nobody reached is planned by that.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    public async ValueTask ReportDevicesAsync(NodeIncarnation node, IReadOnlyList<string> devices, CancellationToken token) =>
        await AskAsync<ReportDevicesRequest, ReportDevicesResponse>(
            new ReportDevicesRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value, Devices = [.. devices] }, token);

    /// <summary>Before a clean stop: what the incarnation leads is planned to others. It hands that over by itself, as it hears of it.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    public async ValueTask EvacuateAsync(NodeIncarnation node, CancellationToken token) =>
        await AskAsync<EvacuateRequest, EvacuateResponse>(
            new EvacuateRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value }, token);

    /// <summary>It serves: what it is the preferred leader of is planned to it, and handed over by those who lead it.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    public async ValueTask ReturnLeadersAsync(NodeIncarnation node, CancellationToken token) =>
        await AskAsync<ReturnLeadersRequest, ReturnLeadersResponse>(
            new ReturnLeadersRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value }, token);

    /// <summary>
    /// A clean stop: the incarnation has closed all its streams, and nothing will wait for its WALs. What others hand over to it to the last is closed, too.
    /// </summary>
    /// <param name="node">The incarnation.</param>
    /// <param name="streams">Its streams, closed.</param>
    /// <param name="token">Ends the attempt.</param>
    /// <exception cref="StreamException">Fenced; Incomplete: streams are still open that were served.</exception>
    public async ValueTask LeaveAsync(NodeIncarnation node, IStreamStore streams, CancellationToken token)
    {
        var request = new LeaveNodeRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value };
        while ((await AskAsync<LeaveNodeRequest, LeaveNodeResponse>(request, token)).Open is { Count: > 0 } open)
        {
            await streams.CloseUnservedAsync(
                [.. open.Select(range => new StreamClose(new StreamId(range.StreamId), new StreamEpoch(range.Epoch), range.EndOffset))], token);
        }
    }

    /// <summary>
    /// The WALs of fenced incarnations that something waits for, oldest first, and what. Each node recovers its share of them
    /// (<see cref="IStreamRegistry.GetSharesAsync"/>): takes it over, uploads, commits with its id, <see cref="IStreamRegistry.CompleteRecoveryAsync"/>.
    /// </summary>
    public async ValueTask<IReadOnlyList<WaitingWal>> GetWaitingWalsAsync(CancellationToken token) =>
        [.. (await ListAsync(token)).Waiting.Select(WalForms.ToWaiting)];

    /// <summary>The WALs that nothing is needed of and that may still take space: to be given back, and then forgotten.</summary>
    public async ValueTask<IReadOnlyList<WalDescriptor>> GetRetiredWalsAsync(CancellationToken token) =>
        [.. (await ListAsync(token)).Retired.Select(WalForms.ToDescriptor)];

    /// <summary>This node has fenced a WAL that only its writer was expected to reach, and that is away: what waits for it is planned to this node.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    public async ValueTask ClaimWalAsync(NodeIncarnation node, Guid walId, CancellationToken token) =>
        await AskAsync<ClaimWalRequest, ClaimWalResponse>(
            new ClaimWalRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value, WalId = walId }, token);

    /// <summary>The space of retired WALs has been given back. An incarnation that has left may say so of its own.</summary>
    /// <exception cref="StreamException">Fenced.</exception>
    public async ValueTask ForgetWalsAsync(NodeIncarnation node, IReadOnlyList<Guid> walIds, CancellationToken token) =>
        await AskAsync<ForgetWalsRequest, ForgetWalsResponse>(
            new ForgetWalsRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value, WalIds = walIds }, token);

    /// <summary>
    /// Gives up what a lost WAL may hold of some streams, or (null) of all; then nothing waits for it any more. Acknowledged
    /// records may be lost by that: only an operator decides it.
    /// </summary>
    /// <returns>What was given up.</returns>
    /// <exception cref="StreamException">Fenced; Incomplete: the WAL's incarnation is not fenced.</exception>
    public async ValueTask<IReadOnlyList<WaitingStream>> AcceptLossAsync(
        NodeIncarnation node, Guid walId, IReadOnlySet<StreamId>? streams, CancellationToken token)
    {
        var request = new AcceptLossRequest
        {
            NodeId = node.Node.Value,
            NodeEpoch = node.Epoch.Value,
            WalId = walId,
            Streams = streams is null ? null : [.. streams.Select(stream => stream.Value)],
        };
        var response = await AskAsync<AcceptLossRequest, AcceptLossResponse>(request, token);
        return [.. response.Lost.Select(stream => new WaitingStream(new StreamId(stream.StreamId), stream.Topic, stream.Partition))];
    }

    private ValueTask<ListWalsResponse> ListAsync(CancellationToken token) =>
        AskAsync<ListWalsRequest, ListWalsResponse>(new ListWalsRequest(), token);

    private ValueTask<TResponse> AskAsync<TRequest, TResponse>(TRequest request, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        new BackOff(runtime, FirstPause, LongestPause).RepeatAsync(
            _ => channel.AskAsync<TRequest, TResponse>(request, token),
            static (failure, _) => failure is StreamException { Error: StreamError.ControllerLost },
            failed: null,
            token);
}
