using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Millrace.Controller.Nodes;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Endpoint;

/// <summary>The life of an incarnation, from messages to decisions.</summary>
internal sealed class NodeRequests(ClusterController controller, ILogger logger)
{
    public RegisterNodeResponse Register(PendingEntry entry, RegisterNodeRequest request)
    {
        var wanted = request.WantedId < 0 ? (NodeId?)null : new NodeId(request.WantedId);
        var registration = new NodeRegistration(request.IncarnationId, EndpointsOf(request), request.Rack, wanted, request.Program)
        {
            Internal = request.InternalHost is { } host ? new PeerAddress(host, request.InternalPort) : null,
            Name = request.Name,
            Devices = [.. request.Devices],
            Times = request.LeaseMs > 0
                ? new NodeTimes(TimeSpan.FromMilliseconds(request.LeaseMs), TimeSpan.FromMilliseconds(request.FenceMs))
                : null,
        };
        var node = NodeOperations.Register(entry, registration);
        NodeOperations.NameController(entry, controller.Owner);

        return new RegisterNodeResponse { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value };
    }

    public void OnRegistered(RegisterNodeRequest request, RegisterNodeResponse response) =>
        ControllerMessages.NodeRegistered(
            logger, new NodeId(response.NodeId), new NodeEpoch(response.NodeEpoch), string.Join(", ", EndpointsOf(request)));

    public void OnLossAccepted(AcceptLossRequest request, AcceptLossResponse response)
    {
        foreach (var lost in response.Lost)
        {
            ControllerMessages.LossAccepted(logger, request.WalId, new WaitingStream(new StreamId(lost.StreamId), lost.Topic, lost.Partition));
        }
    }

    public static ReportDevicesResponse ReportDevices(PendingEntry entry, ReportDevicesRequest request)
    {
        NodeOperations.ReportDevices(entry, new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch)), [.. request.Devices]);
        return new ReportDevicesResponse();
    }

    public static EvacuateResponse Evacuate(PendingEntry entry, EvacuateRequest request)
    {
        var node = new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch));
        entry.RequireLive(node);
        if (entry.Cluster.Nodes[node.Node] is { IsLeaving: false } known)
        {
            // Nothing comes to it from here on, whoever asks for that.
            entry.Add((known with { IsLeaving = true }).ToRecord());
        }

        Evacuation.Plan(entry, node.Node);
        return new EvacuateResponse();
    }

    public static ReturnLeadersResponse ReturnLeaders(PendingEntry entry, ReturnLeadersRequest request)
    {
        var node = new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch));
        entry.RequireLive(node);
        LeaderReturn.Plan(entry, node.Node);
        return new ReturnLeadersResponse();
    }

    public static WarmedUpResponse WarmedUp(PendingEntry entry, WarmedUpRequest request)
    {
        var node = new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch));
        entry.RequireLive(node);
        if (entry.Cluster.FindPartition(request.TopicId, request.Partition) is { Moves: true } partition
            && partition.PlannedTo == node.Node && partition.WarmTo < request.EndOffset)
        {
            entry.Add(new PartitionWarmRecord { TopicId = request.TopicId, Partition = request.Partition, EndOffset = request.EndOffset });
        }

        return new WarmedUpResponse();
    }

    public static LeaveNodeResponse Leave(PendingEntry entry, LeaveNodeRequest request)
    {
        var open = NodeOperations.Stop(entry, new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch)));
        return new LeaveNodeResponse
        {
            Open =
            [
                .. open.Select(range => new LeaveNodeResponse.OpenRange
                {
                    StreamId = range.Stream.Value, Epoch = range.Epoch.Value, EndOffset = range.EndOffset,
                }),
            ],
        };
    }

    private static ImmutableArray<NodeEndpoint> EndpointsOf(RegisterNodeRequest request) =>
        [.. request.Endpoints.Select(endpoint => new NodeEndpoint(new ListenerName(endpoint.Listener), endpoint.Host, endpoint.Port))];
}
