using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// A link with a mistake: whoever uploads what a partition holds that is to move has handed it over before that is committed. So the next leader is there
/// first, and what was acknowledged behind the committed end comes after it.
/// </summary>
/// <param name="link">To the controller, without a mistake.</param>
/// <param name="image">The cluster as it is known where the request comes from.</param>
internal sealed class PlantedHandOver(IControllerLink link, Func<MetadataImage?> image) : IControllerLink
{
    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        if (request is StreamOpsRequest { Commits.Count: > 0 } operations && TooEarly(operations) is { Closes.Count: > 0 } closes)
        {
            await link.CallAsync<StreamOpsRequest, StreamOpsResponse>(closes, known, token);
        }

        return await link.CallAsync<TRequest, TResponse>(request, known, token);
    }

    private StreamOpsRequest TooEarly(StreamOpsRequest operations)
    {
        var moving = image()?.Topics.Values.SelectMany(topic => topic.Partitions)
            .Where(partition => partition.Moves && partition.Leader!.Value.Value == operations.NodeId)
            .Select(partition => (partition.Stream.Value, partition.Epoch.Value))
            .ToHashSet() ?? [];
        return new StreamOpsRequest
        {
            NodeId = operations.NodeId,
            NodeEpoch = operations.NodeEpoch,
            Closes =
            [
                .. operations.Commits.Where(commit => commit.WalId == Guid.Empty)
                    .SelectMany(commit => commit.Ranges)
                    .Where(range => moving.Contains((range.StreamId, range.Epoch)))
                    .DistinctBy(range => range.StreamId)
                    .Select(range => new StreamOpsRequest.Close
                    {
                        StreamId = range.StreamId, Epoch = range.Epoch, EndOffset = range.StartOffset, HandsOver = true,
                    }),
            ],
        };
    }
}
