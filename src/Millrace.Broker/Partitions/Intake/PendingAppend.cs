using Millrace.Broker.Errors;

namespace Millrace.Broker.Partitions.Intake;

/// <summary>An append that has its offsets, or was refused.</summary>
/// <param name="Error">Why it was refused; nothing was appended then.</param>
/// <param name="BaseOffset">The offset of its first record; of the original, if it is a retry.</param>
/// <param name="AppendTime">The timestamp it was given, or -1 where the producer's are kept.</param>
/// <param name="Durable">Completes when it may be acknowledged. Await it once.</param>
internal readonly record struct PendingAppend(PartitionError Error, long BaseOffset, long AppendTime, ValueTask Durable)
{
    public static PendingAppend Refused(PartitionError error) => new(error, -1, -1, ValueTask.CompletedTask);
}
