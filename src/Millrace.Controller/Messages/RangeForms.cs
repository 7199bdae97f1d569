using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Messages;

/// <summary>A range of a stream in an object, in its two forms on the channel: offered in a commit, and answered.</summary>
internal static class RangeForms
{
    public static StreamOpsRequest.CommittedRange ToOffered(ObjectRange range) =>
        new()
        {
            StoreId = range.Store.Value,
            ObjectId = range.Object.Value,
            Kind = (sbyte)range.Kind,
            ObjectSize = range.ObjectSize,
            StreamId = range.Stream.Value,
            Epoch = range.Epoch.Value,
            StartOffset = range.StartOffset,
            EndOffset = range.EndOffset,
            WrittenStartOffset = range.WrittenStartOffset,
            Bytes = range.Bytes,
            MaxTimestamp = range.MaxTimestamp,
            HasCheckpoint = range.HasCheckpoint,
            DigestHigh = unchecked((long)range.Digest.High),
            DigestLow = unchecked((long)range.Digest.Low),
        };

    public static ObjectRange FromOffered(StreamOpsRequest.CommittedRange range) =>
        new(
            new ObjectId(range.ObjectId),
            (ObjectKind)range.Kind,
            range.ObjectSize,
            new StreamId(range.StreamId),
            new StreamEpoch(range.Epoch),
            range.StartOffset,
            range.EndOffset,
            range.Bytes,
            range.MaxTimestamp,
            range.HasCheckpoint,
            Digest(range.DigestHigh, range.DigestLow))
        {
            Store = new StoreId(range.StoreId),
            WrittenStartOffset = range.WrittenStartOffset,
        };

    public static StreamOpsResponse.Range ToAnswered(ObjectRange range) =>
        new()
        {
            StoreId = range.Store.Value,
            ObjectId = range.Object.Value,
            Kind = (sbyte)range.Kind,
            ObjectSize = range.ObjectSize,
            StreamId = range.Stream.Value,
            Epoch = range.Epoch.Value,
            StartOffset = range.StartOffset,
            EndOffset = range.EndOffset,
            WrittenStartOffset = range.WrittenStartOffset,
            Bytes = range.Bytes,
            MaxTimestamp = range.MaxTimestamp,
            HasCheckpoint = range.HasCheckpoint,
            DigestHigh = unchecked((long)range.Digest.High),
            DigestLow = unchecked((long)range.Digest.Low),
        };

    public static ObjectRange FromAnswered(StreamOpsResponse.Range range) =>
        new(
            new ObjectId(range.ObjectId),
            (ObjectKind)range.Kind,
            range.ObjectSize,
            new StreamId(range.StreamId),
            new StreamEpoch(range.Epoch),
            range.StartOffset,
            range.EndOffset,
            range.Bytes,
            range.MaxTimestamp,
            range.HasCheckpoint,
            Digest(range.DigestHigh, range.DigestLow))
        {
            Store = new StoreId(range.StoreId),
            WrittenStartOffset = range.WrittenStartOffset,
        };

    private static RangeDigest Digest(long high, long low) => new(unchecked((ulong)high), unchecked((ulong)low));
}
