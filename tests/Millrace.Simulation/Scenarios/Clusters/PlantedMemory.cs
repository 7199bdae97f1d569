using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>A link with a mistake: who asks again where a stream lies is told what was answered the first time, wherever it went since.</summary>
internal sealed class PlantedMemory(IControllerLink link) : IControllerLink
{
    private readonly Dictionary<(long Stream, long Offset), StreamOpsResponse.RangePage> _told = [];

    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var answer = await link.CallAsync<TRequest, TResponse>(request, known, token);
        if (request is StreamOpsRequest { RangeQueries: { Count: > 0 } queries } && answer.Response is StreamOpsResponse response)
        {
            response.RangePages = [.. queries.Zip(response.RangePages, Remember)];
        }

        return answer;
    }

    private StreamOpsResponse.RangePage Remember(StreamOpsRequest.RangeQuery query, StreamOpsResponse.RangePage page) =>
        _told.TryAdd((query.StreamId, query.Offset), page) ? page : _told[(query.StreamId, query.Offset)];
}
