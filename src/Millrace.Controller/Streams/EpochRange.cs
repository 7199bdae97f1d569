using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Streams;

/// <summary>A stream's offsets under one epoch.</summary>
/// <param name="Epoch">Its number.</param>
/// <param name="StartOffset">The committed end when it was opened.</param>
/// <param name="EndOffset">Exclusive; null while it is open.</param>
/// <param name="Owner">Who opened it. An open range lies in the owner's WALs, as far as it is in no object.</param>
internal readonly record struct EpochRange(StreamEpoch Epoch, long StartOffset, long? EndOffset, NodeIncarnation Owner)
{
    public bool IsOpen => EndOffset is null;
}
