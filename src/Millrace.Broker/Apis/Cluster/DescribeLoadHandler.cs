using Millrace.Broker.Loads;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Network.Access;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Protocol.Primitives;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Apis.Cluster;

/// <summary>DescribeLoad (key 10042), v0, of our own: what this broker has had to do over its last window, and its busiest partitions.</summary>
internal sealed class DescribeLoadHandler(NodeId self, LoadMeter loads, IMetadataFeed metadata) : IApiHandler<DescribeLoadRequest, DescribeLoadResponse>
{
    private const int Whole = 1_000_000;

    public static VersionRange Versions => new(0, 0);

    public void ReportErrors(DescribeLoadResponse response, ErrorTally errors) => errors.Add(response.ErrorCode);

    public ErrorCode Authorize(RequestContext context, DescribeLoadRequest request) => context.Access.Cluster(Operation.Describe);

    public DescribeLoadResponse Refuse(RequestContext context, DescribeLoadRequest request, ErrorCode error) =>
        new() { ErrorCode = (short)error, AnsweredBy = self.Value };

    public ValueTask<DescribeLoadResponse> HandleAsync(RequestContext context, DescribeLoadRequest request, CancellationToken token) =>
        ValueTask.FromResult(new DescribeLoadResponse
        {
            AnsweredBy = self.Value,
            Load = loads.Newest is { } load ? Describe(load, metadata.Image) : null,
        });

    private static DescribeLoadResponse.MeasuredLoad Describe(NodeLoad load, MetadataImage image)
    {
        var busiest = new List<DescribeLoadResponse.BusyPartition>(load.Busiest.Length);
        foreach (var one in load.Busiest)
        {
            if (image.TryGetTopic(one.Topic, out var topic))
            {
                busiest.Add(new() { Topic = topic.Name, Partition = one.Partition, BytesIn = one.BytesIn, BytesOut = one.BytesOut });
            }
        }

        return new()
        {
            CpuMillionths = (int)(load.Cpu * Whole),
            BytesIn = load.BytesIn,
            BytesOut = load.BytesOut,
            Requests = load.Requests,
            WalWaitUs = (long)load.WalWait.TotalMicroseconds,
            Memory = load.Memory,
            Busiest = busiest,
        };
    }
}
