using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Messages;

/// <summary>A range of a stream in an object, as it goes over the channel: offered in a commit, and answered.</summary>
internal static class RangeForms
{
    public static TForm To<TForm>(ObjectRange range)
        where TForm : IPlacedRangeFields, new() =>
        RangeRecords.Set(
            new TForm { StoreId = range.Store.Value, ObjectId = range.Object.Value, Kind = (sbyte)range.Kind, ObjectSize = range.ObjectSize }, range);

    public static ObjectRange From(IPlacedRangeFields form) =>
        RangeRecords.Read(form, new StoreId(form.StoreId), new ObjectId(form.ObjectId), (ObjectKind)form.Kind, form.ObjectSize);
}
