namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>One step of a reader.</summary>
/// <param name="Kind">What it met.</param>
/// <param name="Place">Where.</param>
/// <param name="PutId">The id of the write that made it; empty at the tail.</param>
/// <param name="Length">Bytes of the payload, also when only headers are read; 0 at the tail.</param>
/// <param name="Payload">What its writer put there; the receiver may keep it. Empty at the tail, and when only headers are read.</param>
public readonly record struct LogStep(LogStepKind Kind, LogPlace Place, Guid PutId, long Length, ReadOnlyMemory<byte> Payload)
{
    /// <summary>The place of the next step.</summary>
    public LogPlace Next => Kind switch
    {
        LogStepKind.Entry => Place.Next,
        LogStepKind.Seal => Place.NextTerm,
        _ => Place,
    };

    public static LogStep Tail(LogPlace place) => new(LogStepKind.Tail, place, Guid.Empty, 0, default);

    public static LogStep Entry(LogPlace place, ReadOnlyMemory<byte> payload) => new(LogStepKind.Entry, place, Guid.Empty, payload.Length, payload);

    public static LogStep Seal(LogPlace place, Guid putId, ReadOnlyMemory<byte> payload) => new(LogStepKind.Seal, place, putId, payload.Length, payload);
}
