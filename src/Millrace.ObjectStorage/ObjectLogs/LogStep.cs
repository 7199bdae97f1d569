namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>One step of a reader.</summary>
/// <param name="Kind">What it met.</param>
/// <param name="Place">Where.</param>
/// <param name="PutId">The id of the write that made it; empty at the tail.</param>
/// <param name="Length">Bytes of the payload, also when only headers are read; 0 at the tail.</param>
/// <param name="Payload">What its writer put there; the receiver may keep it. Empty at the tail, and when only headers are read.</param>
public readonly record struct LogStep(LogStepKind Kind, LogPlace Place, Guid PutId, long Length, ReadOnlyMemory<byte> Payload);
