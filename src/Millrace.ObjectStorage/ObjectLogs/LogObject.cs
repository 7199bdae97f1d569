namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>An object of a log as read back: an entry or a seal.</summary>
/// <param name="IsSeal">Which of the two.</param>
/// <param name="Place">Where it says it stands.</param>
/// <param name="PutId">The write that made it.</param>
/// <param name="After">The put id of the seal its term follows.</param>
/// <param name="Confirmed">An entry's: the highest index of its term that was acknowledged when it was made; -1 for none, and in a seal.</param>
/// <param name="Length">Bytes of its payload.</param>
/// <param name="Payload">Empty if only the header was read.</param>
internal sealed record LogObject(bool IsSeal, LogPlace Place, Guid PutId, Guid After, long Confirmed, long Length, ReadOnlyMemory<byte> Payload);
