using System.Net;
using Millrace.Cluster;
using Millrace.Cluster.Liveness;
using Millrace.Cluster.Peers;
using Millrace.Cluster.Seat;
using Millrace.Cluster.Serving;
using Millrace.Controller;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Log;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Network.Requests;
using Millrace.Network.Serving;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;

namespace Millrace.Tests.Cluster.Following;

/// <summary>A process that is the controller of a cluster and no node of it; a test may answer others in its place. It gives nobody up.</summary>
internal sealed class MoodyController
{
    private readonly TaskCompletionSource<ClusterController> _began = new();
    private readonly ClusterOptions _options = new();

    public MoodyController(SimulationKernel kernel, SimulatedBucket bucket, SimulatedNetwork network)
    {
        Node = new SimulatedNode(kernel, "controller", lane => new SimulatedDisk(kernel, "controller").Mount(lane));
        _ = Node.Start(runtime => LiveAsync(runtime, kernel, bucket, network));
    }

    public SimulatedNode Node { get; }

    public Task<ClusterController> Began => _began.Task;

    /// <summary>Answers a question for news; null where the controller does.</summary>
    public Func<FollowMetadataRequest, FollowMetadataResponse?> Follow { get; set; } = _ => null;

    /// <summary>Called before a heartbeat is answered; may wait, and may end the connection.</summary>
    public Func<RequestContext, CancellationToken, ValueTask> BeforeHeartbeat { get; set; } = (_, _) => default;

    private async Task LiveAsync(NodeRuntime runtime, SimulationKernel kernel, SimulatedBucket bucket, SimulatedNetwork network)
    {
        var lane = Node.Lane!;
        var listener = await network.At(Node.Name, lane).BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var self = new PeerAddress(Node.Name, ((IPEndPoint)listener.EndPoint).Port);
        var storage = bucket.Connect(lane);
        var log = await MetadataLog.OpenAsync(runtime, storage, _options.Log, CancellationToken.None);
        var seal = new ControllerSeal { IncarnationId = runtime.NewId(), Host = self.Host, Port = self.Port };
        var controller = await ClusterController.TryStartAsync(
            runtime, log, new MetadataFeed(), storage, seal, _options.Controller, CancellationToken.None);
        var sessions = new LivenessJudge(
            runtime, controller!, new PeerQuestions(runtime, network.From(Node.Name, lane), "controller"), _options, self, gone: null,
            new Failovers(runtime.Time, _ => { }, (_, _) => { }), () => TimeSpan.Zero);
        var seat = new LocalSeat();
        seat.Take(seal.IncarnationId);
        seat.Seat(new LocalController(
            new TermOwner(seal.IncarnationId, self.Host, self.Port, log.Next.Term), controller!,
            new ControllerEndpoint(runtime, controller!, _options.Controller), sessions));
        IReadOnlyList<ApiEntry> apis =
        [
            ApiEntry.For<CallControllerHandler, CallControllerRequest, CallControllerResponse>(new(seat)),
            ApiEntry.For<Follows, FollowMetadataRequest, FollowMetadataResponse>(new(this, new FollowMetadataHandler(runtime, seat))),
            ApiEntry.For<Hears, NodeHeartbeatRequest, NodeHeartbeatResponse>(new(this, new NodeHeartbeatHandler(seat))),
        ];
        var server = new NetworkServer(
            runtime, new NetworkOptions(), new RequestPipeline(apis, RequestSteps.Open), kernel.NewBufferPool(), "Millrace.Tests.Cluster");
        server.Serve(listener, ListenerName.Internal);
        _began.SetResult(controller!);
        await runtime.Failed;
    }

    private sealed class Follows(MoodyController moody, FollowMetadataHandler inner) : IApiHandler<FollowMetadataRequest, FollowMetadataResponse>
    {
        public static VersionRange Versions => FollowMetadataHandler.Versions;

        public void ReportErrors(FollowMetadataResponse response, ErrorTally errors) => inner.ReportErrors(response, errors);

        public ErrorCode Authorize(RequestContext context, FollowMetadataRequest request) => ErrorCode.None;

        public FollowMetadataResponse Refuse(RequestContext context, FollowMetadataRequest request, ErrorCode error) => inner.Refuse(context, request, error);

        public ValueTask<FollowMetadataResponse> HandleAsync(RequestContext context, FollowMetadataRequest request, CancellationToken token) =>
            moody.Follow(request) is { } answer ? ValueTask.FromResult(answer) : inner.HandleAsync(context, request, token);
    }

    private sealed class Hears(MoodyController moody, NodeHeartbeatHandler inner) : IApiHandler<NodeHeartbeatRequest, NodeHeartbeatResponse>
    {
        public static VersionRange Versions => NodeHeartbeatHandler.Versions;

        public void ReportErrors(NodeHeartbeatResponse response, ErrorTally errors) => inner.ReportErrors(response, errors);

        public ErrorCode Authorize(RequestContext context, NodeHeartbeatRequest request) => ErrorCode.None;

        public NodeHeartbeatResponse Refuse(RequestContext context, NodeHeartbeatRequest request, ErrorCode error) => inner.Refuse(context, request, error);

        public async ValueTask<NodeHeartbeatResponse> HandleAsync(RequestContext context, NodeHeartbeatRequest request, CancellationToken token)
        {
            await moody.BeforeHeartbeat(context, token);
            return await inner.HandleAsync(context, request, token);
        }
    }
}
