using Millrace.Controller.Messages;
using Millrace.Controller.Objects;
using Millrace.Controller.State;
using Millrace.Controller.Streams;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Endpoint;

/// <summary>What an incarnation asks of its streams and objects, from messages to decisions: many at once, each by itself.</summary>
internal static class StreamRequests
{
    /// <summary>Bounds the work and the answer of one request; a node that has more to ask asks again.</summary>
    public const int MaxOperations = 10_000;

    /// <summary>Bounds the ranges of one answer: a megabyte.</summary>
    public const int MaxRanges = 10_000;

    public static StreamOpsResponse Decide(PendingEntry entry, StreamOpsRequest request)
    {
        RequireFew(request);
        var node = new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch));
        var room = MaxRanges;
        var response = new StreamOpsResponse
        {
            Created = Each(entry, new int[request.Creations], (pending, _) => Create(pending, node)),
            Opened = Each(entry, request.Opens, (pending, open) => Open(pending, node, open, ref room)),
            Closed = Close(entry, node, request.Closes),
            Trimmed = Each(entry, request.Trims, (pending, trim) =>
                Done(() => StreamOperations.Trim(pending, node, new StreamId(trim.StreamId), new StreamEpoch(trim.Epoch), trim.StartOffset))),
            Prepared = Each(entry, request.Prepares, (pending, count) =>
                new StreamOpsResponse.PrepareResult { ObjectId = ObjectOperations.Prepare(pending, node, count).Value }),
            Committed = [.. request.Commits.Select(commit => Commit(entry, node, commit))],
            Damaged = Each(entry, request.Damages, (pending, damage) =>
                Done(() => StreamOperations.ReportDamage(
                    pending, node, ToWal(damage.WalId), new StreamId(damage.StreamId), new StreamEpoch(damage.Epoch)))),
        };
        HandOver.Appoint(entry, node, request.Closes.Concat(request.Commits.SelectMany(commit => commit.Closes)).Where(close => close.HandsOver));
        StreamQuestions.Answer(entry.State, request, response);
        return response;
    }

    /// <summary>
    /// Questions alone are of committed state and no decision: they need no place in the loop, but for those that are about what is so now. They name a
    /// sender like all, and are answered a fenced one too: it reads of ranges that are committed for ever.
    /// </summary>
    public static StreamOpsResponse? TryAnswer(ClusterState state, StreamOpsRequest request)
    {
        if (request.HasDeeds || request.RangeQueries.Any(query => query.AsOfNow))
        {
            return null;
        }

        RequireFew(request);
        var response = new StreamOpsResponse();
        StreamQuestions.Answer(state, request, response);
        return response;
    }

    private static void RequireFew(StreamOpsRequest request)
    {
        var operations = request.DeedCount + request.RangeQueries.Count + request.CommittedEnds.Count + request.RecoverableEnds.Count
            + request.OpenQueries.Count;
        if (request.Creations < 0 || operations > MaxOperations)
        {
            throw new ArgumentException($"A request has at most {MaxOperations} operations, and this one has {operations}", nameof(request));
        }

        if (request.RangeQueries.Sum(query => (long)query.Limit) > MaxRanges)
        {
            throw new ArgumentException($"A request asks for at most {MaxRanges} ranges", nameof(request));
        }
    }

    private static StreamOpsResponse.CreateResult Create(PendingEntry entry, NodeIncarnation node) =>
        new() { StreamId = StreamOperations.Create(entry, node).Value };

    private static StreamOpsResponse.OpenResult Open(PendingEntry entry, NodeIncarnation node, StreamOpsRequest.Open open, ref int room)
    {
        var opening = StreamOperations.Open(entry, node, new StreamId(open.StreamId), new StreamEpoch(open.Epoch), OpeningForms.RangesIn(room));
        room -= opening.Ranges.Count;
        return OpeningForms.ToMessage(opening);
    }

    private static StreamOpsResponse.Done[] Close(PendingEntry entry, NodeIncarnation node, IReadOnlyList<StreamOpsRequest.Close> closes) =>
        Each(entry, closes, (pending, close) =>
            Done(() => StreamOperations.Close(pending, node, new StreamId(close.StreamId), new StreamEpoch(close.Epoch), close.EndOffset)));

    private static StreamOpsResponse.CommitResult Commit(PendingEntry entry, NodeIncarnation node, StreamOpsRequest.Commit commit)
    {
        var result = One(entry, pending => new StreamOpsResponse.CommitResult
        {
            Verdicts =
            [
                .. UploadJudge.Commit(pending, new UploadCommit(node, ToWal(commit.WalId), [.. commit.Ranges.Select(RangeForms.From)]))
                    .Zip(commit.Ranges, (verdict, range) => new StreamOpsResponse.Verdict
                    {
                        Outcome = (sbyte)verdict.Outcome,
                        StartOffset = verdict.StartOffset,
                        RangeCount = pending.Streams.Find(new StreamId(range.StreamId))?.Ranges.Count ?? 0,
                    }),
            ],
        });
        result.Closed = result.ErrorCode == (short)ControllerError.None ? Close(entry, node, commit.Closes) : [];
        return result;
    }

    private static StreamOpsResponse.Done Done(Action decide)
    {
        decide();
        return new StreamOpsResponse.Done();
    }

    private static Guid? ToWal(Guid id) => id == Guid.Empty ? null : id;

    private static TResult[] Each<TOperation, TResult>(
        PendingEntry entry, IReadOnlyList<TOperation> operations, Func<PendingEntry, TOperation, TResult> decide)
        where TResult : class, IOperationResult, new()
    {
        var results = new TResult[operations.Count];
        for (var i = 0; i < results.Length; i++)
        {
            var operation = operations[i];
            results[i] = One(entry, pending => decide(pending, operation));
        }

        return results;
    }

    // One that is refused takes back what it has added, and no more.
    private static TResult One<TResult>(PendingEntry entry, Func<PendingEntry, TResult> decide)
        where TResult : class, IOperationResult, new()
    {
        try
        {
            return entry.Run(decide);
        }
        catch (Exception refusal) when (Refusals.ErrorOf(refusal) is { } error)
        {
            return new TResult { ErrorCode = (short)error, ErrorMessage = refusal.Message };
        }
    }
}
