using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Millrace.Controller.Balancing;
using Millrace.Controller.Messages;
using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.Scaling;
using Millrace.Controller.State;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Controller.Endpoint;

/// <summary>
/// The controller's side of the channel: knows by what each request is decided, judges whether this controller may still judge, and answers with the
/// version that the answer rests on. Its own node's requests pass the same as everybody's.
/// </summary>
/// <remarks>
/// Senders are judged where their request is decided, on the entry that is being put together, since that very entry may fence them.
/// Threading: any thread.
/// </remarks>
public sealed class ControllerEndpoint : IControllerLink
{
    private readonly ClusterController _controller;
    private readonly FrozenDictionary<ApiKey, RequestKind> _kinds;

    /// <param name="runtime">Of the incarnation whose controller it is.</param>
    /// <param name="controller">Decides.</param>
    /// <param name="options">The defaults of topics.</param>
    /// <param name="balancer">Tells of itself; null where there is none.</param>
    /// <param name="scaler">The same.</param>
    public ControllerEndpoint(
        NodeRuntime runtime, ClusterController controller, ClusterControllerOptions options, Balancer? balancer = null, Scaler? scaler = null)
    {
        _controller = controller;

        // Defaults come from this node's settings and what is set for all; what is set for single nodes does not count here.
        var configs = new ConfigResolver(MetadataImage.AllBrokers, options.Settings);
        var creation = new TopicCreation(configs, runtime.Random);
        var deletion = new TopicDeletion(configs.Broker(MetadataImage.Empty, BrokerConfigs.DeleteTopicEnable).AsBoolean());
        var changes = new ConfigChanges(configs);
        var replacement = new ConfigReplacement(changes);
        var nodes = new NodeRequests(controller, runtime.Loggers.CreateLogger<ControllerEndpoint>());

        var compaction = new CompactionRequests(new CompactionPlanner(runtime, options), options.CompactionRules);

        // Every request that a controller takes, and what decides it.
        var kinds = new Dictionary<ApiKey, RequestKind>();
        Take(new RequestKind<CreateTopicsRequest, CreateTopicsResponse> { Decide = creation.Create });
        Take(new RequestKind<DeleteTopicsRequest, DeleteTopicsResponse> { Decide = deletion.Delete });
        Take(new RequestKind<CreatePartitionsRequest, CreatePartitionsResponse> { Decide = PartitionCreation.Create });
        Take(new RequestKind<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse> { Decide = Reassignment.Alter });
        Take(new RequestKind<ElectLeadersRequest, ElectLeadersResponse> { Decide = LeaderElection.Elect });
        Take(new RequestKind<AlterConfigsRequest, AlterConfigsResponse> { Decide = replacement.Replace });
        Take(new RequestKind<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse> { Decide = changes.Alter });
        Take(new RequestKind<AllocateProducerIdsRequest, AllocateProducerIdsResponse> { Decide = ProducerIds.Allocate });
        Take(new RequestKind<UnregisterBrokerRequest, UnregisterBrokerResponse> { Decide = NodeRemoval.Remove });
        Take(new RequestKind<RegisterNodeRequest, RegisterNodeResponse> { Decide = nodes.Register, Committed = nodes.OnRegistered });
        Take(new RequestKind<ReportDevicesRequest, ReportDevicesResponse> { Decide = NodeRequests.ReportDevices });
        Take(new RequestKind<EvacuateRequest, EvacuateResponse> { Decide = NodeRequests.Evacuate });
        Take(new RequestKind<ReturnLeadersRequest, ReturnLeadersResponse> { Decide = NodeRequests.ReturnLeaders });
        Take(new RequestKind<WarmedUpRequest, WarmedUpResponse> { Decide = NodeRequests.WarmedUp });
        Take(new RequestKind<LeaveNodeRequest, LeaveNodeResponse> { Decide = NodeRequests.Leave });
        Take(new RequestKind<RegisterWalRequest, RegisterWalResponse> { Decide = WalRequests.Register });
        Take(new RequestKind<ListWalsRequest, ListWalsResponse> { Decide = WalRequests.List });
        Take(new RequestKind<ForgetWalsRequest, ForgetWalsResponse> { Decide = WalRequests.Forget });
        Take(new RequestKind<ListSharesRequest, ListSharesResponse>
        {
            Decide = (entry, request) => WalRequests.Shares(entry.State, request), Answer = WalRequests.Shares,
        });
        Take(new RequestKind<ClaimWalRequest, ClaimWalResponse> { Decide = WalRequests.Claim });
        Take(new RequestKind<CompleteRecoveryRequest, CompleteRecoveryResponse> { Decide = WalRequests.Complete });
        Take(new RequestKind<AcceptLossRequest, AcceptLossResponse> { Decide = WalRequests.AcceptLoss, Committed = nodes.OnLossAccepted });
        Take(new RequestKind<TakeCompactionRequest, TakeCompactionResponse>
        {
            Decide = (entry, request) => compaction.Take(entry.State, request), Answer = compaction.Take,
        });
        Take(new RequestKind<ListHoldingsRequest, ListHoldingsResponse>
        {
            Decide = (entry, request) => CompactionRequests.Holdings(entry.State, request), Answer = CompactionRequests.Holdings,
        });
        Take(new RequestKind<CommitCompactionRequest, CommitCompactionResponse> { Decide = compaction.Commit });
        Take(new RequestKind<StreamOpsRequest, StreamOpsResponse> { Decide = StreamRequests.Decide, Answer = StreamRequests.TryAnswer });
        if (balancer is not null)
        {
            var questions = new BalancerQuestions(balancer);
            Take(new RequestKind<DescribeBalancerRequest, DescribeBalancerResponse>
            {
                Decide = (entry, request) => questions.Describe(entry.State, request), Answer = questions.Describe,
            });
        }

        if (scaler is not null)
        {
            var questions = new ScalerQuestions(scaler);
            Take(new RequestKind<DescribeScalerRequest, DescribeScalerResponse>
            {
                Decide = (entry, _) => questions.Describe(entry.State), Answer = (state, _) => questions.Describe(state),
            });
        }

        _kinds = kinds.ToFrozenDictionary();

        void Take<TRequest, TResponse>(RequestKind<TRequest, TResponse> kind)
            where TRequest : class, IRequest<TRequest>
            where TResponse : class, IResponse<TResponse> =>
            kinds.Add(TRequest.ApiKey, kind);
    }

    /// <summary>A request from this process. The messages are handed over as they are.</summary>
    public ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse> =>
        _kinds.GetValueOrDefault(TRequest.ApiKey) is RequestKind<TRequest, TResponse> kind
            ? CallAsync(kind, request, known, token)
            : throw new ArgumentException($"The controller takes no {typeof(TRequest).Name}", nameof(request));

    /// <summary>A request as bytes (<see cref="ControllerFrames"/>); the answer in the same way.</summary>
    /// <exception cref="ProtocolException">The bytes are none of a request that is known here: whoever sent them is no node of this cluster.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ExchangeAsync(ReadOnlyMemory<byte> request, CancellationToken token)
    {
        var reader = new KafkaReader(request);
        var head = ControllerFrames.ReadHead(ref reader);
        return _kinds.TryGetValue((ApiKey)head.ApiKey, out var kind)
            ? kind.ExchangeAsync(this, head, ref reader, token)
            : throw new ProtocolException($"The controller takes no request with key {head.ApiKey}");
    }

    internal async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(
        RequestKind<TRequest, TResponse> kind, TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var state = _controller.State;
        if (_controller.HasEnded || known > state.Cluster.Version)
        {
            // What its sender knows and it does not was written by a later one.
            var reason = _controller.EndedBy is { } ended ? $" ({ended.Message})" : "";
            return Refused<TResponse>(
                state,
                ControllerError.ControllerLost,
                $"This node is not the controller any more{reason}: it knows the metadata up to {state.Cluster.Version}");
        }

        try
        {
            if (kind.Answer?.Invoke(state, request) is { } answer)
            {
                return new(state.Cluster.Version, ControllerError.None, null, answer);
            }

            var decided = await _controller.DecideAsync(entry => kind.Decide(entry, request), token);
            if (decided.Refusal is { } refused && Refusals.ErrorOf(refused) is { } reason)
            {
                return new(decided.Version, reason, refused.Message, null);
            }

            var response = decided.Accepted();
            kind.Committed?.Invoke(request, response);
            return new(decided.Version, ControllerError.None, null, response);
        }
        catch (Exception refusal) when (Refusals.ErrorOf(refusal) is { } error)
        {
            return Refused<TResponse>(state, error, refusal.Message);
        }
    }

    private static ControllerAnswer<TResponse> Refused<TResponse>(ClusterState state, ControllerError error, string message)
        where TResponse : class =>
        new(state.Cluster.Version, error, message, null);
}
