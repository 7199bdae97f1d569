namespace Millrace.Metadata;

/// <summary>What every written form of a stream's range has: in a commit, in a snapshot, and on the channel to the controller.</summary>
/// <remarks>The forms are generated, each from its schema; they are set and read in one place each.</remarks>
public interface IRangeFields
{
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
