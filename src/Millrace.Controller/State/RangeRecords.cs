using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <summary>A range in its written forms: what they have in common, and those of the log and of a snapshot.</summary>
internal static class RangeRecords
{
    public static UploadCommittedRecord.CommittedRange ToCommitted(ObjectRange range) => Set(new UploadCommittedRecord.CommittedRange(), range);

    public static ObjectRange FromCommitted(UploadCommittedRecord.CommittedObject @object, UploadCommittedRecord.CommittedRange range) =>
        Read(range, new StoreId(@object.StoreId), new ObjectId(@object.ObjectId), (ObjectKind)@object.Kind, @object.Size);

    public static StreamRangeRecord ToSnapshot(ObjectRange range, bool isCheckpointOnly) =>
        Set(new StreamRangeRecord { StoreId = range.Store.Value, ObjectId = range.Object.Value, IsCheckpointOnly = isCheckpointOnly }, range);

    public static ObjectRange FromSnapshot(StreamRangeRecord range, ObjectState state) =>
        Read(range, new StoreId(range.StoreId), state.Id, state.Kind, state.Size);

    /// <summary>Sets what every form has.</summary>
    public static TForm Set<TForm>(TForm form, ObjectRange range)
        where TForm : IRangeFields
    {
        form.StreamId = range.Stream.Value;
        form.Epoch = range.Epoch.Value;
        form.StartOffset = range.StartOffset;
        form.EndOffset = range.EndOffset;
        form.WrittenStartOffset = range.WrittenStartOffset;
        form.Bytes = range.Bytes;
        form.MaxTimestamp = range.MaxTimestamp;
        form.HasCheckpoint = range.HasCheckpoint;
        form.DigestHigh = unchecked((long)range.Digest.High);
        form.DigestLow = unchecked((long)range.Digest.Low);
        return form;
    }

    /// <summary>The range of a form, in an object of which the form says too little or nothing.</summary>
    public static ObjectRange Read(IRangeFields form, StoreId store, ObjectId @object, ObjectKind kind, long size) =>
        new(
            @object,
            kind,
            size,
            new StreamId(form.StreamId),
            new StreamEpoch(form.Epoch),
            form.StartOffset,
            form.EndOffset,
            form.Bytes,
            form.MaxTimestamp,
            form.HasCheckpoint,
            new RangeDigest(unchecked((ulong)form.DigestHigh), unchecked((ulong)form.DigestLow)))
        {
            Store = store,
            WrittenStartOffset = form.WrittenStartOffset,
        };
}
