using Millrace.Controller.Messages;
using Millrace.Controller.Objects;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Endpoint;

/// <summary>What is asked about object compaction, from messages to decisions.</summary>
internal sealed class CompactionRequests(CompactionPlanner planner, CompactionRules rules)
{
    /// <summary>Of committed state: what is given out is judged when it comes back.</summary>
    public TakeCompactionResponse Take(ClusterState state, TakeCompactionRequest request)
    {
        var node = new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch));
        state.RequireLive(node);
        return CompactionForms.ToMessage(planner.Take(state, node));
    }

    public static ListHoldingsResponse Holdings(ClusterState state, ListHoldingsRequest request)
    {
        if (request.Streams.Count > CompactionForms.MostStreams)
        {
            throw new ArgumentException(
                $"A request asks for at most {CompactionForms.MostStreams} streams, and this one for {request.Streams.Count}", nameof(request));
        }

        state.RequireLive(new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch)));
        var objects = request.Objects.Select(id => new ObjectId(id)).ToHashSet();
        return new ListHoldingsResponse
        {
            Holdings = [.. request.Streams.Select(stream => CompactionForms.ToMessage(state.Streams.HoldingOf(new StreamId(stream), objects)))],
        };
    }

    public CommitCompactionResponse Commit(PendingEntry entry, CommitCompactionRequest request)
    {
        if (request.Ranges.Count is 0 or > CompactionCommit.MostRanges)
        {
            throw new ArgumentException($"An object has 1 to {CompactionCommit.MostRanges} ranges, and this one {request.Ranges.Count}", nameof(request));
        }

        var commit = CompactionForms.From(request);
        var replaced = CompactionJudge.Commit(entry, commit, rules);
        if (replaced > 0)
        {
            planner.OnProgress(commit.Node);
        }

        return new CommitCompactionResponse { Replaced = replaced };
    }
}
