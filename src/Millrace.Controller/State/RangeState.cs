using Millrace.Protocol.Primitives;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.State;

/// <summary>
/// What the controller knows of a committed range by itself. The stream says the rest of where it belongs, epoch included
/// (<see cref="StreamState.EpochAt"/>), and the object the rest of where it lies (<see cref="ObjectState"/>).
/// </summary>
/// <remarks>
/// Packed, in varints: its length, times four, with whether it was cut (2) and carries a checkpoint (1); if it was cut, how much; its bytes; the
/// distance of its time from that of the range packed before. The start is that of whatever the reader has before it.
/// </remarks>
/// <param name="Object">Where it lies.</param>
/// <param name="StartOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive; equal to the start for a range that carries only a checkpoint.</param>
/// <param name="WrittenStartOffset">Where it begins in the object: lower than the start where a first part was already committed elsewhere.</param>
/// <param name="Bytes">Payload bytes of what was written.</param>
/// <param name="MaxTimestamp">The largest of its records: milliseconds since the Unix epoch; negative if none has a time.</param>
/// <param name="HasCheckpoint">The object carries a checkpoint of the stream, as of the range's end.</param>
internal readonly record struct RangeState(
    ObjectId Object, long StartOffset, long EndOffset, long WrittenStartOffset, long Bytes, long MaxTimestamp, bool HasCheckpoint)
{
    /// <summary>More offsets than any range has: what is packed beside the length still fits.</summary>
    public const long MostOffsets = long.MaxValue >> 2;

    private const int Checkpoint = 1;
    private const int Cut = 2;
    private const int FlagBits = 2;

    public void Pack(ref KafkaWriter writer, ref long formerTimestamp)
    {
        var isCut = WrittenStartOffset != StartOffset;
        writer.WriteUnsignedVarlong((ulong)(EndOffset - StartOffset) << FlagBits | (isCut ? Cut : 0u) | (HasCheckpoint ? Checkpoint : 0u));
        if (isCut)
        {
            writer.WriteVarlong(StartOffset - WrittenStartOffset);
        }

        writer.WriteVarlong(Bytes);
        writer.WriteVarlong(MaxTimestamp - formerTimestamp);
        formerTimestamp = MaxTimestamp;
    }

    /// <exception cref="ProtocolException">The bytes are malformed.</exception>
    public static RangeState Unpack(ref KafkaReader reader, ObjectId @object, long startOffset, ref long formerTimestamp)
    {
        var packed = reader.ReadUnsignedVarlong();
        var end = startOffset + (long)(packed >> FlagBits);
        var writtenStart = (packed & Cut) == 0 ? startOffset : startOffset - reader.ReadVarlong();
        var bytes = reader.ReadVarlong();
        formerTimestamp += reader.ReadVarlong();
        return new RangeState(@object, startOffset, end, writtenStart, bytes, formerTimestamp, (packed & Checkpoint) != 0);
    }
}
