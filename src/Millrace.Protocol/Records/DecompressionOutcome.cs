namespace Millrace.Protocol.Records;

/// <summary>What became of a decompression.</summary>
public enum DecompressionOutcome
{
    Done,

    /// <summary>The bytes are not what the codec writes, end early, or go on behind its end.</summary>
    Malformed,

    /// <summary>The result would exceed the caller's limit.</summary>
    TooLarge,

    /// <summary>The machine had no memory for the result or for the decoder; the bytes may be in order.</summary>
    OutOfMemory,
}
