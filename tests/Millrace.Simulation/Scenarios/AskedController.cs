using Millrace.Controller;
using Millrace.Controller.Clients;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Log;
using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios;

/// <summary>A controller, and all that is asked of it by the channel: every request and every answer goes through its bytes.</summary>
public sealed class AskedController : IStreamRegistry, IAsyncDisposable
{
    private readonly NodeRegistry _nodes;
    private readonly StreamRegistry _streams;

    public AskedController(
        NodeRuntime runtime, ClusterController controller, ClusterControllerOptions options, Func<IControllerLink, IControllerLink>? mend = null)
    {
        Controller = controller;
        Endpoint = new ControllerEndpoint(runtime, controller, options);
        IControllerLink link = new EncodedLink(Endpoint.ExchangeAsync);
        Channel = new ControllerChannel(mend?.Invoke(link) ?? link, controller.Metadata);
        _nodes = new NodeRegistry(runtime, Channel);
        _streams = new StreamRegistry(Channel, default);
    }

    public ClusterController Controller { get; }

    public ControllerEndpoint Endpoint { get; }

    public IControllerChannel Channel { get; }

    public IMetadataFeed Metadata => Controller.Metadata;

    /// <summary>Null if somebody else was faster.</summary>
    public static async ValueTask<AskedController?> TryStartAsync(
        NodeRuntime runtime, MetadataLog log, IObjectStorage storage, ControllerSeal seal, ClusterControllerOptions options,
        Func<IControllerLink, IControllerLink>? mend = null) =>
        await ClusterController.TryStartAsync(runtime, log, new MetadataFeed(), storage, seal, options, CancellationToken.None) is { } controller
            ? new AskedController(runtime, controller, options, mend)
            : null;

    public ValueTask DisposeAsync() => Controller.DisposeAsync();

    public ValueTask<TResponse> SendAsync<TRequest, TResponse>(TRequest request, CancellationToken token = default)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        Channel.SendAsync<TRequest, TResponse>(request, token);

    public ValueTask<CreateTopicsResponse> CreateTopicsAsync(CreateTopicsRequest request, CancellationToken token) =>
        SendAsync<CreateTopicsRequest, CreateTopicsResponse>(request, token);

    public ValueTask<DeleteTopicsResponse> DeleteTopicsAsync(DeleteTopicsRequest request, CancellationToken token) =>
        SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(request, token);

    public ValueTask<AllocateProducerIdsResponse> AllocateProducerIdsAsync(AllocateProducerIdsRequest request, CancellationToken token) =>
        SendAsync<AllocateProducerIdsRequest, AllocateProducerIdsResponse>(request, token);

    public ValueTask<NodeIncarnation> RegisterAsync(NodeRegistration registration, CancellationToken token) => _nodes.RegisterAsync(registration, token);

    public ValueTask RegisterWalAsync(NodeIncarnation node, WalDescriptor wal, CancellationToken token) =>
        _nodes.RegisterWalAsync(node, wal, isAdditional: false, token);

    public ValueTask LeaveAsync(NodeIncarnation node, IStreamStore streams, CancellationToken token) => _nodes.LeaveAsync(node, streams, token);

    public ValueTask<IReadOnlyList<WaitingWal>> GetWaitingWalsAsync(CancellationToken token) => _nodes.GetWaitingWalsAsync(token);

    /// <summary>Makes a stream that belongs to no topic.</summary>
    public async ValueTask<StreamId> CreateAsync(NodeIncarnation node, CancellationToken token)
    {
        var request = new StreamOpsRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value, Creations = 1 };
        var created = (await Channel.AskAsync<StreamOpsRequest, StreamOpsResponse>(request, token)).Created[0];
        return created.ErrorCode == (short)ControllerError.None
            ? new StreamId(created.StreamId)
            : throw Refusals.ToException((ControllerError)created.ErrorCode, created.ErrorMessage);
    }

    public ValueTask<StreamOpening> OpenAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        _streams.OpenAsync(node, stream, epoch, token);

    public ValueTask<StreamOpening?> FindOpeningAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        _streams.FindOpeningAsync(node, stream, epoch, token);

    public ValueTask CloseAsync(NodeIncarnation node, StreamClose close, CancellationToken token) => _streams.CloseAsync(node, close, token);

    public ValueTask TrimAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long startOffset, CancellationToken token) =>
        _streams.TrimAsync(node, stream, epoch, startOffset, token);

    public ValueTask<ObjectId> PrepareAsync(NodeIncarnation node, int count, CancellationToken token) => _streams.PrepareAsync(node, count, token);

    public ValueTask<CommittedUpload> CommitAsync(UploadCommit commit, CancellationToken token) => _streams.CommitAsync(commit, token);

    public ValueTask<IReadOnlyList<ObjectRange>> GetRangesAsync(StreamId stream, long offset, int limit, bool asOfNow, CancellationToken token) =>
        _streams.GetRangesAsync(stream, offset, limit, asOfNow, token);

    public ValueTask<long?> GetCommittedEndAsync(StreamId stream, CancellationToken token) => _streams.GetCommittedEndAsync(stream, token);

    public ValueTask<long?> GetRecoverableEndAsync(Guid walId, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        _streams.GetRecoverableEndAsync(walId, stream, epoch, token);

    public ValueTask ReportDamageAsync(NodeIncarnation node, Guid? walId, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        _streams.ReportDamageAsync(node, walId, stream, epoch, token);

    public ValueTask<IReadOnlyList<WalShare>> GetSharesAsync(NodeIncarnation node, CancellationToken token) => _streams.GetSharesAsync(node, token);

    public ValueTask<ShareCompletion> CompleteRecoveryAsync(NodeIncarnation node, WalShare share, CancellationToken token) =>
        _streams.CompleteRecoveryAsync(node, share, token);
}
