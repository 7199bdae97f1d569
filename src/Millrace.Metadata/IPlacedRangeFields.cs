namespace Millrace.Metadata;

/// <summary>A written form of a range that says, too, in which object it lies.</summary>
public interface IPlacedRangeFields : IRangeFields
{
    short StoreId { get; set; }

    long ObjectId { get; set; }

    sbyte Kind { get; set; }

    long ObjectSize { get; set; }
}
