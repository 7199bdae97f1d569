using Millrace.Controller.Nodes;
using Millrace.Controller.Objects;
using Millrace.Controller.Streams;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller;

/// <content>The controller as the stream stores see it.</content>
public sealed partial class ClusterController : IStreamRegistry
{
    public ValueTask<StreamId> CreateAsync(NodeIncarnation node, CancellationToken token) =>
        SubmitAsync(entry => StreamOperations.Create(entry, node), token);

    public ValueTask<StreamOpening> OpenAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        SubmitAsync(entry => StreamOperations.Open(entry, node, stream, epoch), token);

    public ValueTask CloseAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long endOffset, CancellationToken token) =>
        SubmitAsync(entry => StreamOperations.Close(entry, node, stream, epoch, endOffset), token);

    public ValueTask TrimAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long startOffset, CancellationToken token) =>
        SubmitAsync(entry => StreamOperations.Trim(entry, node, stream, epoch, startOffset), token);

    public ValueTask<ObjectId> PrepareAsync(NodeIncarnation node, int count, CancellationToken token) =>
        SubmitAsync(entry => ObjectOperations.Prepare(entry, node, count), token);

    public ValueTask<IReadOnlyList<RangeVerdict>> CommitAsync(UploadCommit commit, CancellationToken token) =>
        SubmitAsync(entry => UploadJudge.Commit(entry, commit), token);

    // Committed state and no decision: these need no place in the loop. An owner that was deposed meanwhile reads of ranges that
    // are committed for ever.
    public ValueTask<IReadOnlyList<ObjectRange>> GetRangesAsync(StreamId stream, long offset, int limit, CancellationToken token) =>
        ValueTask.FromResult(StreamOperations.GetRanges(State, stream, offset, limit));

    public ValueTask<long?> GetCommittedEndAsync(StreamId stream, CancellationToken token) =>
        ValueTask.FromResult(State.Streams.Find(stream)?.CommittedEnd);

    public ValueTask<long?> GetRecoverableEndAsync(Guid walId, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        ValueTask.FromResult(StreamOperations.RecoverableEnd(State, walId, stream, epoch));

    public ValueTask ReportDamageAsync(NodeIncarnation node, Guid? walId, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        SubmitAsync(entry => StreamOperations.ReportDamage(entry, node, walId, stream, epoch), token);

    public ValueTask<IReadOnlyList<StreamId>> CompleteRecoveryAsync(NodeIncarnation node, Guid walId, CancellationToken token) =>
        SubmitAsync(entry => NodeOperations.CompleteRecovery(entry, node, walId), token);
}
