using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <summary>A stream's offsets under one epoch.</summary>
/// <param name="Epoch">Its number.</param>
/// <param name="StartOffset">The committed end when it was opened.</param>
/// <param name="EndOffset">Exclusive; null while it is open.</param>
/// <param name="Owner">Who opened it.</param>
/// <param name="Wal">
/// The kind of the owner's WAL in which an open range lies, as far as it is in no object; null: its default, if it has one. In that one alone: a stream changes
/// its WAL with its epoch.
/// </param>
internal readonly record struct EpochRange(StreamEpoch Epoch, long StartOffset, long? EndOffset, NodeIncarnation Owner, WalKind? Wal)
{
    public bool IsOpen => EndOffset is null;
}
