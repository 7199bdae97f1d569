using Millrace.Runtime.Ids;

namespace Millrace.Streams;

/// <summary>An epoch of a stream and the offset of its first record.</summary>
public readonly record struct EpochStart(StreamEpoch Epoch, long StartOffset);
