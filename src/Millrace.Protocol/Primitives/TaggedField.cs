namespace Millrace.Protocol.Primitives;

/// <summary>A tagged field that the schema does not know.</summary>
/// <param name="Tag">Its number.</param>
/// <param name="Payload">Its bytes, a slice of the frame that it came in.</param>
public readonly record struct TaggedField(uint Tag, ReadOnlyMemory<byte> Payload);
