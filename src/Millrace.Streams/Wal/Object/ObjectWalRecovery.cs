using System.Runtime.CompilerServices;
using Millrace.ObjectStorage;

namespace Millrace.Streams.Wal;

/// <summary>A sealed object WAL.</summary>
internal sealed class ObjectWalRecovery(ObjectLog log, WalDescriptor descriptor, LogStart start, LogPlace seal) : IWalRecovery
{
    public WalDescriptor Descriptor => descriptor;

    public async IAsyncEnumerable<StreamRecord> ReadAsync([EnumeratorCancellation] CancellationToken token)
    {
        using var reader = log.Read(start);
        while (reader.Position.Next < seal)
        {
            var step = await StepAsync(reader, token);
            var count = ObjectWalFormat.TryReadCount(step.Payload.Span) ?? throw Damaged(step, "is of an unknown version");
            var body = step.Payload[ObjectWalFormat.HeadSize..];
            for (var i = 0; i < count; i++)
            {
                if (!WalRecordFormat.TryRead(ref body, out var record))
                {
                    throw Damaged(step, "holds fewer records than it says");
                }

                yield return record;
            }
        }
    }

    public async ValueTask CompleteAsync(CancellationToken token) => await log.TrimAsync(seal, [], token);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async ValueTask<LogStep> StepAsync(ObjectLogReader reader, CancellationToken token)
    {
        try
        {
            var step = await reader.StepAsync(token);
            return step.Kind == LogStepKind.Entry ? step : throw Damaged(step, $"is no entry, and the seal stands at {seal}");
        }
        catch (ObjectLogException damage)
        {
            throw ObjectWalTakeover.Unusable(descriptor, damage);
        }
    }

    private WalUnavailableException Damaged(LogStep step, string what) =>
        new(descriptor, $"The WAL {descriptor.Location} cannot be read: the object at {step.Place} {what}");
}
