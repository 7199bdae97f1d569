namespace Millrace.Protocol;

/// <summary>What became of a decompression.</summary>
public enum DecompressionOutcome
{
    Done,

    /// <summary>The bytes are not what the codec writes.</summary>
    Malformed,

    /// <summary>The result would exceed the caller's limit.</summary>
    TooLarge,
}
