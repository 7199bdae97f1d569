using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <summary>A committed range in its two written forms: in the commit, and in a snapshot.</summary>
internal static class RangeRecords
{
    public static UploadCommittedRecord.CommittedRange ToCommitted(ObjectRange range) =>
        new()
        {
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

    public static ObjectRange FromCommitted(UploadCommittedRecord.CommittedObject @object, UploadCommittedRecord.CommittedRange range) =>
        new(
            new ObjectId(@object.ObjectId),
            (ObjectKind)@object.Kind,
            @object.Size,
            new StreamId(range.StreamId),
            new StreamEpoch(range.Epoch),
            range.StartOffset,
            range.EndOffset,
            range.Bytes,
            range.MaxTimestamp,
            range.HasCheckpoint,
            Digest(range.DigestHigh, range.DigestLow))
        {
            Store = new StoreId(@object.StoreId),
            WrittenStartOffset = range.WrittenStartOffset,
        };

    public static StreamRangeRecord ToSnapshot(ObjectRange range, bool isCheckpointOnly) =>
        new()
        {
            StreamId = range.Stream.Value,
            StoreId = range.Store.Value,
            ObjectId = range.Object.Value,
            Epoch = range.Epoch.Value,
            StartOffset = range.StartOffset,
            EndOffset = range.EndOffset,
            WrittenStartOffset = range.WrittenStartOffset,
            Bytes = range.Bytes,
            MaxTimestamp = range.MaxTimestamp,
            HasCheckpoint = range.HasCheckpoint,
            DigestHigh = unchecked((long)range.Digest.High),
            DigestLow = unchecked((long)range.Digest.Low),
            IsCheckpointOnly = isCheckpointOnly,
        };

    public static ObjectRange FromSnapshot(StreamRangeRecord range, ObjectState state) =>
        new(
            state.Id,
            state.Kind,
            state.Size,
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
