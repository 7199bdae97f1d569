using Millrace.Controller.Messages;
using Millrace.Metadata;
using Millrace.Metadata.Channel;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Clients;

/// <summary>The registry of a node's stream store: asks the controller by the channel, for many streams at once.</summary>
/// <remarks>Questions alone need no place in the controller's loop, and so do not wait for deeds either.</remarks>
/// <param name="channel">The way to the controller.</param>
/// <param name="self">In whose name questions are asked that name nobody.</param>
public sealed class StreamRegistry(IControllerChannel channel, NodeIncarnation self) : IStreamRegistry
{
    private readonly StreamOpsLane _deeds = new(channel);
    private readonly StreamOpsLane _questions = new(channel);

    public async ValueTask<StreamOpening> OpenAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token)
    {
        var request = new StreamOpsRequest { Opens = [new() { StreamId = stream.Value, Epoch = epoch.Value }] };
        return OpeningForms.From(Accepted((await AskAsync(node, request, token)).Opened[0]));
    }

    public async ValueTask<StreamOpening?> FindOpeningAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token)
    {
        var request = new StreamOpsRequest { OpenQueries = [new() { StreamId = stream.Value, Epoch = epoch.Value }] };
        return (await AskAsync(node, request, token)).OpenAnswers[0].Opening is { } opened ? OpeningForms.From(opened) : null;
    }

    public async ValueTask CloseAsync(NodeIncarnation node, StreamClose close, CancellationToken token) =>
        Accepted((await AskAsync(node, new StreamOpsRequest { Closes = [ToOperation(close)] }, token)).Closed[0]);

    public async ValueTask TrimAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long startOffset, CancellationToken token)
    {
        var request = new StreamOpsRequest { Trims = [new() { StreamId = stream.Value, Epoch = epoch.Value, StartOffset = startOffset }] };
        Accepted((await AskAsync(node, request, token)).Trimmed[0]);
    }

    public async ValueTask<ObjectId> PrepareAsync(NodeIncarnation node, int count, CancellationToken token) =>
        new(Accepted((await AskAsync(node, new StreamOpsRequest { Prepares = [count] }, token)).Prepared[0]).ObjectId);

    public async ValueTask<CommittedUpload> CommitAsync(UploadCommit commit, CancellationToken token)
    {
        var request = new StreamOpsRequest
        {
            Commits =
            [
                new()
                {
                    WalId = commit.WalId ?? Guid.Empty,
                    Ranges = [.. commit.Ranges.Select(RangeForms.To<StreamOpsRequest.CommittedRange>)],
                    Closes = [.. commit.Closes.Select(ToOperation)],
                },
            ],
            Prepares = commit.PreparesNext ? [1] : [],
        };
        var response = await AskAsync(commit.Node, request, token);
        var committed = Accepted(response.Committed[0]);
        return new CommittedUpload(
            [.. committed.Verdicts.Select(verdict => new RangeVerdict((RangeOutcome)verdict.Outcome, verdict.StartOffset))],
            commit.Closes.Where((_, index) => committed.Closed[index].ErrorCode == (short)ControllerError.None).Select(close => close.Stream).ToHashSet(),
            commit.PreparesNext ? new ObjectId(Accepted(response.Prepared[0]).ObjectId) : null)
        {
            RangeCounts = [.. committed.Verdicts.Select(verdict => verdict.RangeCount)],
        };
    }

    public async ValueTask<IReadOnlyList<ObjectRange>> GetRangesAsync(StreamId stream, long offset, int limit, bool asOfNow, CancellationToken token)
    {
        var request = new StreamOpsRequest { RangeQueries = [new() { StreamId = stream.Value, Offset = offset, Limit = limit, AsOfNow = asOfNow }] };
        var page = Accepted((await AskAsync(self, request, token)).RangePages[0]);
        return [.. page.Ranges.Select(RangeForms.From)];
    }

    public async ValueTask<long?> GetCommittedEndAsync(StreamId stream, CancellationToken token) =>
        OrNone((await AskAsync(self, new StreamOpsRequest { CommittedEnds = [stream.Value] }, token)).CommittedEnds[0]);

    public async ValueTask<long?> GetRecoverableEndAsync(Guid walId, StreamId stream, StreamEpoch epoch, CancellationToken token)
    {
        var request = new StreamOpsRequest { RecoverableEnds = [new() { WalId = walId, StreamId = stream.Value, Epoch = epoch.Value }] };
        return OrNone((await AskAsync(self, request, token)).RecoverableEnds[0]);
    }

    public async ValueTask ReportDamageAsync(NodeIncarnation node, Guid? walId, StreamId stream, StreamEpoch epoch, CancellationToken token)
    {
        var request = new StreamOpsRequest
        {
            Damages = [new() { WalId = walId ?? Guid.Empty, StreamId = stream.Value, Epoch = epoch.Value }],
        };
        Accepted((await AskAsync(node, request, token)).Damaged[0]);
    }

    public async ValueTask<IReadOnlyList<WalShare>> GetSharesAsync(NodeIncarnation node, CancellationToken token)
    {
        var request = new ListSharesRequest { NodeId = node.Node.Value, NodeEpoch = node.Epoch.Value };
        return [.. (await channel.AskAsync<ListSharesRequest, ListSharesResponse>(request, token)).Shares.Select(WalForms.ToShare)];
    }

    public async ValueTask<ShareCompletion> CompleteRecoveryAsync(NodeIncarnation node, WalShare share, CancellationToken token)
    {
        var (damaged, uncommitted) = (new List<StreamId>(), new List<StreamId>());
        for (var first = 0; ; first += WalForms.MostRanges)
        {
            var request = new CompleteRecoveryRequest
            {
                NodeId = node.Node.Value,
                NodeEpoch = node.Epoch.Value,
                WalId = share.WalId,
                Ranges =
                [
                    .. share.Ranges.Skip(first).Take(WalForms.MostRanges)
                        .Select(range => new CompleteRecoveryRequest.Range
                        {
                            StreamId = range.Stream.Value, Epoch = range.Epoch.Value, EndOffset = range.EndOffset,
                        }),
                ],
            };
            var response = await channel.AskAsync<CompleteRecoveryRequest, CompleteRecoveryResponse>(request, token);
            damaged.AddRange(response.DamagedStreams.Select(stream => new StreamId(stream)));
            uncommitted.AddRange(response.UncommittedStreams.Select(stream => new StreamId(stream)));
            if (first + WalForms.MostRanges >= share.Ranges.Count)
            {
                return new ShareCompletion(damaged, uncommitted, response.IsRetired);
            }
        }
    }

    private ValueTask<StreamOpsResponse> AskAsync(NodeIncarnation node, StreamOpsRequest request, CancellationToken token)
    {
        request.NodeId = node.Node.Value;
        request.NodeEpoch = node.Epoch.Value;
        return (request.HasDeeds ? _deeds : _questions).AskAsync(request, token);
    }

    private static StreamOpsRequest.Close ToOperation(StreamClose close) =>
        new() { StreamId = close.Stream.Value, Epoch = close.Epoch.Value, EndOffset = close.EndOffset, HandsOver = close.HandsOver };

    private static T Accepted<T>(T result)
        where T : IOperationResult =>
        result.ErrorCode == (short)ControllerError.None
            ? result
            : throw Refusals.ToException((ControllerError)result.ErrorCode, result.ErrorMessage);

    private static long? OrNone(long end) => end < 0 ? null : end;
}
