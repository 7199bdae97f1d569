namespace Millrace.Metadata;

/// <summary>A range of a stream in an object, as it goes over the channel to the controller: offered in a commit, and answered.</summary>
/// <remarks>The forms are generated, each from its schema; they are set and read in one place each.</remarks>
public interface IRangeFields
{
    short StoreId { get; set; }

    long ObjectId { get; set; }

    sbyte Kind { get; set; }

    long ObjectSize { get; set; }

    long StreamId { get; set; }

    long Epoch { get; set; }

    long StartOffset { get; set; }

    long EndOffset { get; set; }

    long WrittenStartOffset { get; set; }

    long Bytes { get; set; }

    long MaxTimestamp { get; set; }

    bool HasCheckpoint { get; set; }

    long DigestHigh { get; set; }

    long DigestLow { get; set; }
}
