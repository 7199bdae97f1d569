namespace Millrace.Streams.Registry;

/// <summary>What lies of one stream in some objects.</summary>
/// <param name="Ranges">Its committed ranges there, in offset order; there may be others in between.</param>
/// <param name="Checkpoint">Its newest range with a checkpoint, if that lies there; its records may be trimmed.</param>
public sealed record StreamHolding(IReadOnlyList<ObjectRange> Ranges, ObjectRange? Checkpoint);
