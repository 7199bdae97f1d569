namespace Millrace.Streams;

/// <summary>How far a stream is to be committed in objects.</summary>
/// <param name="Stream">Open on this node.</param>
/// <param name="EndOffset">Exclusive; at most its next offset.</param>
public readonly record struct UploadGoal(IStream Stream, long EndOffset);
