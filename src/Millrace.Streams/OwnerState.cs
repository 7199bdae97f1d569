namespace Millrace.Streams;

/// <summary>What an owner keeps with a range.</summary>
/// <param name="Offset">The point in append order the state is of: the end of the range.</param>
/// <param name="Checkpoint">State as of the end of the range; only the newest of a stream matters. Empty if none.</param>
/// <param name="Annex">What belongs to this range and stays with it, merged when ranges are merged. Empty if none.</param>
public readonly record struct OwnerState(long Offset, ReadOnlyMemory<byte> Checkpoint, ReadOnlyMemory<byte> Annex);
