using Microsoft.AspNetCore.Connections;
using Millrace.Cluster.Seat;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Network.Requests;
using Millrace.Network.Serving;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Cluster.Serving;

/// <summary>
/// Answers other nodes, on a listener, with memory and with connections of its own: no flood of clients can delay what the cluster lives by.
/// </summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class InternalServer : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    // What a peer sends is small, and there are as many as the cluster has nodes. What waits for the metadata log is bounded for each node, and for all; and
    // beyond that it is not read: heartbeats and the feed have room of their own.
    private static readonly NetworkOptions Options = new()
    {
        MaxFrameBytes = 16 << 20,
        MaxConnections = 10_000,
        MaxRequestsPerConnection = 1_024,
        MaxRequestBytesPerConnection = 4 << 20,
        WaitsForStore = CallControllerRequest.ApiKey,
    };

    private readonly NetworkServer _server;

    /// <param name="runtime">The node's.</param>
    /// <param name="buffers">Memory for requests.</param>
    /// <param name="seat">Where the controller is, while it lives in this process.</param>
    /// <param name="view">What this node sees of the cluster.</param>
    /// <param name="followers">Answers those who follow partitions that are led here; null while nobody does.</param>
    public InternalServer(NodeRuntime runtime, BufferPool buffers, LocalSeat seat, Func<PeerViewResponse> view, Func<FollowerService?> followers)
    {
        IReadOnlyList<ApiEntry> apis =
        [
            ApiEntry.For<CallControllerHandler, CallControllerRequest, CallControllerResponse>(new(seat)),
            ApiEntry.For<FollowMetadataHandler, FollowMetadataRequest, FollowMetadataResponse>(new(runtime, seat)),
            ApiEntry.For<NodeHeartbeatHandler, NodeHeartbeatRequest, NodeHeartbeatResponse>(new(seat)),
            ApiEntry.For<PeerViewHandler, PeerViewRequest, PeerViewResponse>(new(view)),
            ApiEntry.For<FollowPartitionRelay, FollowPartitionRequest, FollowPartitionResponse>(new(followers)),
        ];
        _server = new NetworkServer(runtime, Options, new RequestPipeline(apis, RequestSteps.Open), buffers, "Millrace.Cluster");
    }

    public void Serve(IConnectionListener listener) => _server.Serve(listener, ListenerName.Internal);

    public async ValueTask DisposeAsync()
    {
        await _server.DrainAsync(Grace);
        await _server.DisposeAsync();
    }
}
