using Microsoft.Extensions.Logging;
using Millrace.Runtime;

namespace Millrace.Coordination.Shards;

/// <summary>A shard as far as it has been read from its log.</summary>
/// <remarks>Threading: one caller at a time.</remarks>
/// <param name="shard">Empty at first.</param>
/// <param name="timers">Its timers, none of which is started before it serves.</param>
/// <param name="maxBatchBytes">What it was told that a batch may take.</param>
internal sealed class LoadingShard<TShard, TRecord>(TShard shard, TimerQueue<TRecord> timers, int maxBatchBytes)
    where TShard : class, ICoordinatorShard<TRecord>
{
    public TShard Shard => shard;

    public TimerQueue<TRecord> Timers => timers;

    public int MaxBatchBytes => maxBatchBytes;

    /// <summary>All that stands below this was read. Of meaning while <see cref="IsWhole"/>.</summary>
    public long NextOffset { get; private set; }

    /// <summary>How many records were read.</summary>
    public long Records { get; private set; }

    /// <summary>Some were of a kind that this version does not know.</summary>
    public bool HoldsUnknown { get; private set; }

    /// <summary>It is what the log says up to <see cref="NextOffset"/>: no part was left half way, or passed over.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>An empty one.</summary>
    public static LoadingShard<TShard, TRecord> Create(
        NodeRuntime runtime, ILogger logger, Func<ShardContext<TRecord>, TShard> create, int maxBatchBytes)
    {
        var timers = new TimerQueue<TRecord>(runtime.Time);
        return new(create(new ShardContext<TRecord>(runtime.Time, runtime.Random, timers, logger, maxBatchBytes)), timers, maxBatchBytes);
    }

    /// <summary>Replays what the log has behind <see cref="NextOffset"/>. What ends that between two parts leaves it whole: it can go on.</summary>
    /// <exception cref="CoordinatorException">As the log's; Unavailable, too, where the log was trimmed beyond what was read of it.</exception>
    public async Task ReadAsync(IPartitionLoader log, ICoordinatorRecordCodec<TRecord> codec, ILogger logger, string name, CancellationToken token)
    {
        var reader = codec.NewReader();
        await foreach (var part in log.ReadAsync(NextOffset, token))
        {
            IsWhole = false;
            if (NextOffset > 0 && part.BaseOffset > NextOffset)
            {
                // What is left of the log says all that counts to who begins with it; of what was read before, it does not say what is deleted since.
                throw new CoordinatorException(CoordinatorError.Unavailable, $"The log was read up to {NextOffset}, and begins at {part.BaseOffset} now");
            }

            foreach (var record in part.Records)
            {
                if (reader.TryRead(record.Key, record.Value, out var known))
                {
                    shard.Replay(known);
                }
                else
                {
                    HoldsUnknown = true;
                    CoordinationMessages.UnknownRecord(logger, name);
                }
            }

            Records += part.Records.Count;
            (NextOffset, IsWhole) = (part.EndOffset, true);
            token.ThrowIfCancellationRequested();
        }
    }
}
