using Millrace.Controller.Messages;
using Millrace.Controller.Streams;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Endpoint;

/// <summary>What is asked about streams and changes nothing.</summary>
internal static class StreamQuestions
{
    private const long None = -1;

    /// <summary>Fills the answers to a request's questions in, by a state.</summary>
    public static void Answer(ClusterState state, StreamOpsRequest request, StreamOpsResponse response)
    {
        response.RangePages = [.. request.RangeQueries.Select(query => Ranges(state, query))];
        response.CommittedEnds = [.. request.CommittedEnds.Select(stream => state.Streams.Find(new StreamId(stream))?.CommittedEnd ?? None)];
        response.RecoverableEnds =
        [
            .. request.RecoverableEnds.Select(end =>
                StreamOperations.RecoverableEnd(state, end.WalId, new StreamId(end.StreamId), new StreamEpoch(end.Epoch)) ?? None),
        ];
        var room = (int)(StreamRequests.MaxRanges - request.RangeQueries.Sum(query => (long)query.Limit));
        var node = new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch));
        response.OpenAnswers = [.. request.OpenQueries.Select(query => Opening(state, node, query, ref room))];
    }

    // One that is fenced has nothing open.
    private static StreamOpsResponse.OpenAnswer Opening(ClusterState state, NodeIncarnation node, StreamOpsRequest.Open query, ref int room)
    {
        var opening = StreamOperations.FindOpening(
            state, node, new StreamId(query.StreamId), new StreamEpoch(query.Epoch), OpeningForms.RangesIn(room));
        room -= opening?.Ranges.Count ?? 0;
        return new StreamOpsResponse.OpenAnswer { Opening = opening is null ? null : OpeningForms.ToMessage(opening) };
    }

    private static StreamOpsResponse.RangePage Ranges(ClusterState state, StreamOpsRequest.RangeQuery query)
    {
        try
        {
            var ranges = StreamOperations.GetRanges(state, new StreamId(query.StreamId), query.Offset, query.Limit);
            return new StreamOpsResponse.RangePage { Ranges = [.. ranges.Select(RangeForms.To<StreamOpsResponse.Range>)] };
        }
        catch (Exception refusal) when (Refusals.ErrorOf(refusal) is { } error)
        {
            return new StreamOpsResponse.RangePage { ErrorCode = (short)error, ErrorMessage = refusal.Message };
        }
    }
}
