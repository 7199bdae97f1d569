using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Messages;

/// <summary>What is said of object compaction, as it goes over the channel.</summary>
internal static class CompactionForms
{
    /// <summary>The streams of one question: with a range in each of so many objects, a megabyte of answer.</summary>
    public const int MostStreams = 500;

    public static TakeCompactionResponse ToMessage(IReadOnlyList<CompactionSource> sources) =>
        new()
        {
            Sources =
            [
                .. sources.Select(source => new TakeCompactionResponse.Source
                {
                    StoreId = StoreId.Own.Value,
                    ObjectId = source.Object.Value,
                    Size = source.Size,
                    DigestHigh = unchecked((long)source.Digest.High),
                    DigestLow = unchecked((long)source.Digest.Low),
                }),
            ],
        };

    public static IReadOnlyList<CompactionSource> SourcesOf(TakeCompactionResponse response) =>
        [.. response.Sources.Select(source => new CompactionSource(new ObjectId(source.ObjectId), source.Size, Digest(source.DigestHigh, source.DigestLow)))];

    public static ListHoldingsResponse.Holding ToMessage(StreamHolding holding) =>
        new()
        {
            Ranges = [.. holding.Ranges.Select(RangeForms.To<ListHoldingsResponse.Range>)],
            Checkpoint = holding.Checkpoint is { } range ? RangeForms.To<ListHoldingsResponse.Range>(range) : null,
        };

    public static StreamHolding ToHolding(ListHoldingsResponse.Holding holding) =>
        new([.. holding.Ranges.Select(RangeForms.From)], holding.Checkpoint is { } range ? RangeForms.From(range) : null);

    public static CommitCompactionRequest ToMessage(CompactionCommit commit)
    {
        var first = commit.Ranges[0];
        return new CommitCompactionRequest
        {
            NodeId = commit.Node.Node.Value,
            NodeEpoch = commit.Node.Epoch.Value,
            StoreId = first.Store.Value,
            ObjectId = first.Object.Value,
            Kind = (sbyte)first.Kind,
            ObjectSize = first.ObjectSize,
            DigestHigh = unchecked((long)first.ObjectDigest.High),
            DigestLow = unchecked((long)first.ObjectDigest.Low),
            Sources =
            [
                .. commit.Sources.Select(source => new CommitCompactionRequest.Source
                {
                    ObjectId = source.Object.Value,
                    TakenHigh = unchecked((long)source.Taken.High),
                    TakenLow = unchecked((long)source.Taken.Low),
                    RestHigh = unchecked((long)source.Rest.High),
                    RestLow = unchecked((long)source.Rest.Low),
                }),
            ],
            Ranges =
            [
                .. commit.Ranges.Select(range => new CommitCompactionRequest.Range
                {
                    StreamId = range.Stream.Value,
                    Epoch = range.Epoch.Value,
                    StartOffset = range.StartOffset,
                    EndOffset = range.EndOffset,
                    Bytes = range.Bytes,
                    MaxTimestamp = range.MaxTimestamp,
                    HasCheckpoint = range.HasCheckpoint,
                }),
            ],
        };
    }

    public static CompactionCommit From(CommitCompactionRequest request) =>
        new(
            new NodeIncarnation(new NodeId(request.NodeId), new NodeEpoch(request.NodeEpoch)),
            [
                .. request.Sources.Select(source => new SourceShare(
                    new ObjectId(source.ObjectId), Digest(source.TakenHigh, source.TakenLow), Digest(source.RestHigh, source.RestLow))),
            ],
            [
                .. request.Ranges.Select(range => new ObjectRange(
                    new ObjectId(request.ObjectId), (ObjectKind)request.Kind, request.ObjectSize, new StreamId(range.StreamId), new StreamEpoch(range.Epoch),
                    range.StartOffset, range.EndOffset, range.Bytes, range.MaxTimestamp, range.HasCheckpoint,
                    Digest(request.DigestHigh, request.DigestLow))
                {
                    Store = new StoreId(request.StoreId),
                }),
            ]);

    private static RangeDigest Digest(long high, long low) => new(unchecked((ulong)high), unchecked((ulong)low));
}
