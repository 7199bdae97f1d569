using System.Runtime.CompilerServices;
using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Streams.Wal.Object;

/// <summary>A sealed object WAL.</summary>
/// <param name="log">Its log.</param>
/// <param name="descriptor">Its entry in the metadata.</param>
/// <param name="start">Where its entries begin.</param>
/// <param name="seal">What stands behind them.</param>
/// <param name="lengths">Of the entries, as far as they are known: so that they can be read ahead in bounded memory.</param>
internal sealed class SealedObjectWal(
    ObjectLog log, WalDescriptor descriptor, LogStart start, LogPlace seal, IReadOnlyDictionary<LogPlace, long> lengths) : ISealedWal
{
    public WalDescriptor Descriptor => descriptor;

    public async IAsyncEnumerable<StreamRecord> ReadAsync([EnumeratorCancellation] CancellationToken token)
    {
        var next = start;
        while (next.Next < seal)
        {
            using var reader = log.Read(next, seal, LengthOf);
            while (reader.Position.Next < seal && await TryStepAsync(reader, token) is { } step)
            {
                var count = ObjectWalFormat.TryReadCount(step.Payload.Span) ?? throw Damaged(
                    step,
                    $"has format {ObjectWalFormat.VersionOf(step.Payload.Span)}, and this program knows {ObjectWalFormat.Version}: "
                    + "another version of Millrace wrote it");
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

            next = reader.Position.Next < seal ? start with { Next = await log.BoundaryAsync(token) } : reader.Position;
        }
    }

    private long? LengthOf(LogPlace place) => lengths.TryGetValue(place, out var length) ? length : null;

    public async ValueTask CompleteAsync(CancellationToken token) => await log.TrimAsync(seal, start with { Next = seal }, token);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    // Null where the log has been trimmed: its writer, fenced by now, committed that before and gets round to trimming only
    // now, or somebody else has recovered the same log. Both trim only what is committed, so reading goes on behind it.
    private async ValueTask<LogStep?> TryStepAsync(ObjectLogReader reader, CancellationToken token)
    {
        try
        {
            var step = await reader.StepAsync(token);
            return step.Kind == LogStepKind.Entry ? step : throw Damaged(step, $"is no entry, and the seal stands at {seal}");
        }
        catch (ObjectLogException trimmed) when (trimmed.Error == ObjectLogError.Trimmed)
        {
            return null;
        }
        catch (ObjectLogException damage)
        {
            throw ObjectWalTakeover.Unusable(descriptor, damage);
        }
    }

    private WalUnavailableException Damaged(LogStep step, string what) =>
        new(descriptor, $"The WAL {descriptor.Location} cannot be read: the object at {step.Place} {what}");
}
