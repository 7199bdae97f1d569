using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// A link with a mistake: a hand-over of which a copy arrives late, when the partition has its next leader, is believed as if it were of that one's leadership.
/// It closes the partition where its sender had left it.
/// </summary>
/// <param name="link">To the controller, without a mistake.</param>
/// <param name="image">The cluster as it is known where the request comes from.</param>
internal sealed class PlantedLateHandOver(IControllerLink link, Func<MetadataImage?> image) : IControllerLink
{
    private readonly List<StreamOpsRequest.Close> _sent = [];

    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        if (request is StreamOpsRequest { HasDeeds: true } operations && image() is { } cluster)
        {
            foreach (var late in TakeLate(cluster))
            {
                await link.CallAsync<StreamOpsRequest, StreamOpsResponse>(late, known, token);
            }

            _sent.AddRange(operations.Closes.Concat(operations.Commits.SelectMany(commit => commit.Closes)).Where(close => close.HandsOver));
        }

        return await link.CallAsync<TRequest, TResponse>(request, known, token);
    }

    /// <summary>Those of partitions that are led at a later epoch by now, as if that one's leader had sent them.</summary>
    private List<StreamOpsRequest> TakeLate(MetadataImage cluster)
    {
        var late = new List<StreamOpsRequest>();
        foreach (var partition in cluster.Topics.Values.SelectMany(topic => topic.Partitions))
        {
            if (partition.Leader is { } leader
                && _sent.Find(close => close.StreamId == partition.Stream.Value && close.Epoch < partition.Epoch.Value) is { } close)
            {
                _sent.RemoveAll(other => other.StreamId == close.StreamId);
                late.Add(new StreamOpsRequest
                {
                    NodeId = leader.Value,
                    NodeEpoch = cluster.Nodes[leader].Epoch.Value,
                    Closes = [new() { StreamId = close.StreamId, Epoch = partition.Epoch.Value, EndOffset = close.EndOffset, HandsOver = true }],
                });
            }
        }

        return late;
    }
}
