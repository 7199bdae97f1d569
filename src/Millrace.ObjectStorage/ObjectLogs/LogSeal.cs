namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>The seal that counts for a term.</summary>
/// <param name="Place">Where it stands: the entries of its term are those below.</param>
/// <param name="PutId">The id of the write that made it: the next term's objects name it.</param>
/// <param name="Payload">What its creator put into it.</param>
/// <param name="IsMine">This call created it.</param>
public sealed record LogSeal(LogPlace Place, Guid PutId, ReadOnlyMemory<byte> Payload, bool IsMine);
