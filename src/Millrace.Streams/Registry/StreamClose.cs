using Millrace.Runtime.Ids;

namespace Millrace.Streams.Registry;

/// <summary>The range of an epoch is to be closed.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="Epoch">At which the caller has it open.</param>
/// <param name="EndOffset">Where: the committed end.</param>
/// <param name="HandsOver">In the same step the stream has its next owner, at a higher epoch: whom the registry knows, or the same again.</param>
public readonly record struct StreamClose(StreamId Stream, StreamEpoch Epoch, long EndOffset, bool HandsOver = false);
