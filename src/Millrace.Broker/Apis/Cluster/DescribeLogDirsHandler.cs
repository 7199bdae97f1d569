using Millrace.Network.Access;
using Millrace.Broker.Partitions;
using Millrace.Network.Requests;
using Millrace.Protocol.Primitives;
using Millrace.Protocol;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeLogDirs (key 35), v1–5: how much partitions take.</summary>
/// <remarks>
/// v2: flexible. v3: an error for the whole answer. v4: the size of the volume. v5: cordoned directories (KIP-1066). Null stands for all
/// partitions; what is asked for and not here is left out, as in Kafka. Deviation: records lie in the object store, so there is one
/// directory, which stands for it and whose volume has no size; a partition's size is the payload that its leader keeps readable. A
/// store that does not work is a directory with KAFKA_STORAGE_ERROR, one that has no room left has no usable bytes, too.
/// </remarks>
internal sealed class DescribeLogDirsHandler(PartitionTable partitions) : IApiHandler<DescribeLogDirsRequest, DescribeLogDirsResponse>
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
        var wanted = request.Topics?
            .SelectMany(topic => topic.Partitions.Select(partition => partitions.Find(topic.Topic, partition).Partition))
            .OfType<Partition>()
            .Distinct() ?? partitions.Led();
        var trouble = partitions.StoreTrouble;
        return ValueTask.FromResult(new DescribeLogDirsResponse
        {
            Results =
            [
                new DescribeLogDirsResponse.DescribeLogDirsResult
                {
                    ErrorCode = (short)(trouble is null ? ErrorCode.None : ErrorCode.KafkaStorageError),
                    LogDir = Directory,
                    UsableBytes = trouble is { IsFull: true } ? 0 : Unknown,
                    Topics =
                    [
                        .. wanted.GroupBy(partition => partition.Id.Topic, StringComparer.Ordinal)
                            .Select(topic => new DescribeLogDirsResponse.DescribeLogDirsTopic { Name = topic.Key, Partitions = [.. topic.Select(Describe)] }),
                    ],
                },
            ],
        });
    }

    private static DescribeLogDirsResponse.DescribeLogDirsPartition Describe(Partition partition) =>
        new() { PartitionIndex = partition.Id.Partition, PartitionSize = partition.SizeInBytes };
}
