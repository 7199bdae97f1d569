using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Broker.Partitions;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeLogDirs (key 35), v1–5: how much partitions take.</summary>
/// <remarks>
/// v2: flexible. v3: an error for the whole answer. v4: the size of the volume. v5: cordoned directories (KIP-1066). Null stands for all
/// partitions; what is asked for and not here is left out, as in Kafka. Deviation: records lie in the object store, so there is one
/// directory, which stands for it and whose volume has no size; it lists the partitions of which this broker is a replica, as clients are told of
/// them. The size of one is the payload that can be read of it, and nothing where this broker does not lead it: the sum over brokers is what there is. A
/// store that does not work is a directory with KAFKA_STORAGE_ERROR, one that has no room left has no usable bytes, too.
/// </remarks>
internal sealed class DescribeLogDirsHandler(NodeId self, PartitionTable partitions) : IApiHandler<DescribeLogDirsRequest, DescribeLogDirsResponse>
{
    /// <summary>What stands for the object store where tools expect a directory.</summary>
    public const string Directory = "/object-store";

    private const long Unknown = -1;

    public static VersionRange Versions => new(1, 5);

    public void ReportErrors(DescribeLogDirsResponse response, ErrorTally errors)
    {
        errors.Add(response.ErrorCode);
        errors.Add(response.Results.Select(directory => directory.ErrorCode));
    }

    public ErrorCode Authorize(RequestContext context, DescribeLogDirsRequest request) => context.Access.Cluster(Operation.Describe);

    public DescribeLogDirsResponse Refuse(RequestContext context, DescribeLogDirsRequest request, ErrorCode error) => new() { ErrorCode = (short)error };

    public ValueTask<DescribeLogDirsResponse> HandleAsync(RequestContext context, DescribeLogDirsRequest request, CancellationToken token)
    {
        var trouble = partitions.StoreTrouble;
        return ValueTask.FromResult(new DescribeLogDirsResponse
        {
            Results =
            [
                new DescribeLogDirsResponse.DescribeLogDirsResult
                {
                    ErrorCode = (short)(trouble is null ? ErrorCode.None : ErrorCode.KafkaStorageError),
                    LogDir = Directory,
                    IsCordoned = BrokerDuties.GetsNothingNew(partitions.Image, self),
                    UsableBytes = trouble is { IsFull: true } ? 0 : Unknown,
                    Topics = [.. Topics(request).Where(topic => topic.Partitions.Count > 0)],
                },
            ],
        });
    }

    private IEnumerable<DescribeLogDirsResponse.DescribeLogDirsTopic> Topics(DescribeLogDirsRequest request)
    {
        var image = partitions.Image;
        if (request.Topics is null)
        {
            return image.Topics.Values.Select(topic => Describe(image, topic, topic.Partitions));
        }

        return request.Topics
            .GroupBy(topic => topic.Topic, topic => topic.Partitions, StringComparer.Ordinal)
            .SelectMany(named => image.TryGetTopic(named.Key, out var topic)
                ? [Describe(image, topic, named.SelectMany(indexes => indexes).Distinct().Select(topic.FindPartition).OfType<PartitionImage>())]
                : Array.Empty<DescribeLogDirsResponse.DescribeLogDirsTopic>());
    }

    private DescribeLogDirsResponse.DescribeLogDirsTopic Describe(MetadataImage image, TopicImage topic, IEnumerable<PartitionImage> asked) =>
        new()
        {
            Name = topic.Name,
            Partitions =
            [
                .. asked.Where(partition => image.Replicas(partition).Contains(self)).Select(partition => new DescribeLogDirsResponse.DescribeLogDirsPartition
                {
                    PartitionIndex = partition.Index,
                    PartitionSize = partitions.Find(topic, partition.Index).Partition?.SizeInBytes ?? 0,
                }),
            ],
        };
}
