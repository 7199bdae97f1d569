using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Messages;

/// <summary>A range of a stream in an object, as it goes over the channel: offered in a commit, and answered.</summary>
internal static class RangeForms
{
    public static TForm To<TForm>(ObjectRange range)
        where TForm : IRangeFields, new() =>
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
            DigestHigh = unchecked((long)range.ObjectDigest.High),
            DigestLow = unchecked((long)range.ObjectDigest.Low),
        };

    public static ObjectRange From(IRangeFields form) =>
        new(
            new ObjectId(form.ObjectId),
            (ObjectKind)form.Kind,
            form.ObjectSize,
            new StreamId(form.StreamId),
            new StreamEpoch(form.Epoch),
            form.StartOffset,
            form.EndOffset,
            form.Bytes,
            form.MaxTimestamp,
            form.HasCheckpoint,
            new RangeDigest(unchecked((ulong)form.DigestHigh), unchecked((ulong)form.DigestLow)))
        {
            Store = new StoreId(form.StoreId),
            WrittenStartOffset = form.WrittenStartOffset,
        };
}
