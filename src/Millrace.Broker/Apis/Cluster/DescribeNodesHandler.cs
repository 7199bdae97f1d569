using Millrace.Broker.Apis.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Streams.Wal;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeNodes (key 10040), v0, of our own: nodes that are away, names, and what waits for which WAL.</summary>
/// <remarks>
/// Nodes and WALs are told as this broker knows them, whether or not there is a controller; only that knows which partitions wait for a WAL.
/// </remarks>
internal sealed class DescribeNodesHandler(NodeId self, IMetadataFeed feed, ControllerDeeds deeds) : IApiHandler<DescribeNodesRequest, DescribeNodesResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(DescribeNodesResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, DescribeNodesRequest request) => context.Access.Cluster(Operation.Describe);

    public DescribeNodesResponse Refuse(RequestContext context, DescribeNodesRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public async ValueTask<DescribeNodesResponse> HandleAsync(RequestContext context, DescribeNodesRequest request, CancellationToken token)
    {
        var failure = ErrorCode.None;
        var waiting = new ListWalsResponse();
        if (feed.Image.Wals.Values.Any(wal => wal.State == WalState.AwaitsRecovery))
        {
            waiting = await deeds.DoAsync<ListWalsRequest, ListWalsResponse>(
                new ListWalsRequest(),
                TimeSpan.FromMilliseconds(request.TimeoutMs),
                error =>
                {
                    failure = error;
                    return waiting;
                },
                token);
        }

        var image = feed.Image;
        return new DescribeNodesResponse
        {
            ErrorCode = (short)failure,
            ControllerId = image.Controller is { } controller && image.IsLive(controller) ? controller.Value : -1,
            AnsweredBy = self.Value,
            Nodes = [.. image.Nodes.Values.Select(node => Describe(image, node, context.Connection.Listener))],
            WaitingWals = failure == ErrorCode.None
                ? [.. waiting.Waiting.Select(Describe)]
                : [.. image.Wals.Values.Where(wal => wal.State == WalState.AwaitsRecovery).Select(Describe)],
            UnmetWals = [.. image.Topics.Values.Select(topic => UnmetOf(image, topic)).OfType<DescribeNodesResponse.UnmetWal>()],
        };
    }

    private static DescribeNodesResponse.UnmetWal? UnmetOf(MetadataImage image, TopicImage topic)
    {
        if (WalKindName.Find(topic.Configs.GetValueOrDefault(TopicConfigs.Wal)) is not { } wanted)
        {
            return null;
        }

        int[] without = [.. image.LiveNodesWithout((byte)wanted).Select(node => node.Id.Value)];
        return without.Length == 0 ? null : new() { Topic = topic.Name, Wal = WalKindName.Of(wanted), NodeIds = without };
    }

    private static DescribeNodesResponse.Node Describe(MetadataImage image, NodeImage node, ListenerName listener)
    {
        var endpoint = node.EndpointOf(listener);
        return new DescribeNodesResponse.Node
        {
            NodeId = node.Id.Value,
            Name = node.Name,
            NodeEpoch = node.Epoch.Value,
            State = (sbyte)node.State,
            Host = endpoint?.Host,
            Port = endpoint?.Port ?? -1,
            Rack = node.Rack,
            Internal = node.Internal?.ToString(),
            Program = node.Program,
            Duty = (sbyte)BrokerDuties.Of(image, node.Id),
            Wals = !node.IsLive ? [] :
            [
                .. image.WalsOf(node.Id, node.Epoch).OrderBy(wal => wal.IsAdditional).ThenBy(wal => wal.Kind)
                    .Select(wal => new DescribeNodesResponse.Wal { Kind = (sbyte)wal.Kind, Location = wal.Location }),
            ],
        };
    }

    private static DescribeNodesResponse.WaitingWal Describe(ListWalsResponse.WaitingWal waiting) => new()
    {
        WalId = waiting.Wal.WalId,
        Location = waiting.Wal.Location,
        NodeId = waiting.Wal.NodeId,
        // A stream without a topic is of a topic that is gone.
        Partitions =
        [
            .. waiting.Streams.Where(stream => stream.Topic is not null)
                .Select(stream => new DescribeNodesResponse.WaitingPartition
                {
                    Topic = stream.Topic!, Partition = stream.Partition, PlannedTo = stream.PlannedTo, IsDamaged = stream.IsDamaged,
                }),
        ],
    };

    private static DescribeNodesResponse.WaitingWal Describe(WalImage wal) =>
        new() { WalId = wal.Id, Location = wal.Location, NodeId = wal.Node.Value, Partitions = [] };
}
