using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Topics;

/// <summary>ListPartitionReassignments (key 46), v0: the partitions that are on their way to another leader, whoever asked for that.</summary>
/// <remarks>
/// Told as this broker knows them. Replicas are virtual, so that none is ever being added; the present leader is being removed where it is none of the
/// replicas.
/// </remarks>
internal sealed class ListPartitionReassignmentsHandler(IMetadataFeed feed)
    : IApiHandler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>
{
    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(ListPartitionReassignmentsResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, ListPartitionReassignmentsRequest request) => context.Access.Cluster(Operation.Describe);

    public ListPartitionReassignmentsResponse Refuse(RequestContext context, ListPartitionReassignmentsRequest request, ErrorCode error) =>
        new() { ErrorCode = (short)error };

    public ValueTask<ListPartitionReassignmentsResponse> HandleAsync(
        RequestContext context, ListPartitionReassignmentsRequest request, CancellationToken token)
    {
        var image = feed.Image;
        var asked = request.Topics is { } named
            ? named.Select(topic => (Topic: image.Topics.GetValueOrDefault(topic.Name), Indexes: (IReadOnlySet<int>?)topic.PartitionIndexes.ToHashSet()))
            : image.Topics.Values.Select(topic => (Topic: (TopicImage?)topic, Indexes: (IReadOnlySet<int>?)null));
        return ValueTask.FromResult(new ListPartitionReassignmentsResponse
        {
            Topics =
            [
                .. asked.Where(one => one.Topic is not null)
                    .Select(one => new ListPartitionReassignmentsResponse.OngoingTopicReassignment
                    {
                        Name = one.Topic!.Name,
                        Partitions =
                        [
                            .. one.Topic.Partitions
                                .Where(partition => partition.Moves && one.Indexes?.Contains(partition.Index) != false)
                                .Select(partition => Describe(image, partition)),
                        ],
                    })
                    .Where(topic => topic.Partitions.Count > 0),
            ],
        });
    }

    private static ListPartitionReassignmentsResponse.OngoingPartitionReassignment Describe(MetadataImage image, PartitionImage partition) =>
        new()
        {
            PartitionIndex = partition.Index,
            Replicas = [.. image.Replicas(partition).Select(replica => replica.Value)],
            RemovingReplicas = partition.Replicas.Contains(partition.Leader!.Value) ? [] : [partition.Leader.Value.Value],
        };
}
