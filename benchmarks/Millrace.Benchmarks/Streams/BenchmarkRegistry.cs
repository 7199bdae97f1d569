using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Benchmarks.Streams;

/// <summary>A registry that agrees to everything.</summary>
internal sealed class BenchmarkRegistry : IStreamRegistry
{
    private long _objects;

    public ValueTask<StreamId> CreateAsync(NodeIncarnation node, CancellationToken token) =>
        throw new NotSupportedException("Streams are numbered by the benchmark");

    public ValueTask<StreamOpening> OpenAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        new(new StreamOpening(0, 0, [new(epoch, 0)], null));

    public ValueTask<StreamOpening?> FindOpeningAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, CancellationToken token) =>
        new((StreamOpening?)null);

    public ValueTask CloseAsync(NodeIncarnation node, StreamClose close, CancellationToken token) => default;

    public ValueTask TrimAsync(NodeIncarnation node, StreamId stream, StreamEpoch epoch, long startOffset, CancellationToken token) => default;

    public ValueTask<ObjectId> PrepareAsync(NodeIncarnation node, int count, CancellationToken token) =>
        new(new ObjectId(Interlocked.Add(ref _objects, count)));

    public ValueTask<CommittedUpload> CommitAsync(UploadCommit commit, CancellationToken token) =>
        new(new CommittedUpload(
            [.. commit.Ranges.Select(range => new RangeVerdict(RangeOutcome.Accepted, range.StartOffset))],
            commit.Closes.Select(close => close.Stream).ToHashSet(),
            commit.PreparesNext ? new ObjectId(Interlocked.Increment(ref _objects)) : null));

    public ValueTask<IReadOnlyList<ObjectRange>> GetRangesAsync(StreamId stream, long offset, int limit, bool asOfNow, CancellationToken token) => new([]);

    public ValueTask<long?> GetCommittedEndAsync(StreamId stream, CancellationToken token) => new(0);

    public ValueTask<long?> GetRecoverableEndAsync(Guid walId, StreamId stream, StreamEpoch epoch, CancellationToken token) => new((long?)null);

    public ValueTask ReportDamageAsync(NodeIncarnation node, Guid? walId, StreamId stream, StreamEpoch epoch, CancellationToken token) => default;

    public ValueTask<IReadOnlyList<WalShare>> GetSharesAsync(NodeIncarnation node, CancellationToken token) => new([]);

    public ValueTask<ShareCompletion> CompleteRecoveryAsync(NodeIncarnation node, WalShare share, CancellationToken token) =>
        new(new ShareCompletion([], [], IsRetired: true));
}
