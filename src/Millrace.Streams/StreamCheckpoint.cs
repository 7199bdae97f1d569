namespace Millrace.Streams;

/// <summary>The owner's state as of an offset: what replaying all records below it would give.</summary>
/// <param name="Offset">Exclusive: the state covers records below it.</param>
/// <param name="State">Opaque here.</param>
public readonly record struct StreamCheckpoint(long Offset, ReadOnlyMemory<byte> State);
