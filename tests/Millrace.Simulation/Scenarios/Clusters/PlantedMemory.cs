using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Protocol.Messages;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// A link with a mistake: who asks again where a stream lies, though it has been merged since, is told what was told first, at its opening or later.
/// </summary>
internal sealed class PlantedMemory(IControllerLink link) : IControllerLink
{
    private readonly Dictionary<long, IReadOnlyList<StreamOpsResponse.Range>> _told = [];

    public async ValueTask<ControllerAnswer<TResponse>> CallAsync<TRequest, TResponse>(TRequest request, MetadataVersion known, CancellationToken token)
        where TRequest : class, IRequest<TRequest>
        where TResponse : class, IResponse<TResponse>
    {
        var answer = await link.CallAsync<TRequest, TResponse>(request, known, token);
        if (request is StreamOpsRequest asked && answer.Response is StreamOpsResponse response)
        {
            foreach (var (open, opened) in asked.Opens.Zip(response.Opened))
            {
                _told[open.StreamId] = opened.Ranges;
            }

            response.RangePages = [.. asked.RangeQueries.Zip(response.RangePages, Remember)];
        }

        return answer;
    }

    private StreamOpsResponse.RangePage Remember(StreamOpsRequest.RangeQuery query, StreamOpsResponse.RangePage page)
    {
        if (_told.GetValueOrDefault(query.StreamId) is not { Count: > 0 } told)
        {
            _told[query.StreamId] = page.Ranges;
            return page;
        }

        return new StreamOpsResponse.RangePage { Ranges = [.. told.Where(range => range.EndOffset > query.Offset).Take(query.Limit)] };
    }
}
