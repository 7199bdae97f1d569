namespace Millrace.Protocol.Primitives;

/// <summary>A tagged field while it is being read.</summary>
/// <param name="Tag">Its number.</param>
/// <param name="OuterEnd">Where the bytes around it end; the reader sees no further than the field meanwhile.</param>
public readonly record struct TaggedFieldScope(uint Tag, int OuterEnd);
