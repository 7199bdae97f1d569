namespace Millrace.Broker.Following;

/// <summary>What a followed partition's leader has told of it last.</summary>
/// <param name="Epoch">The leader's.</param>
/// <param name="HighWatermark">Everything below is durable.</param>
/// <param name="LogStartOffset">Where the log began.</param>
/// <param name="CommittedOffset">Everything below lies in objects.</param>
internal sealed record LeaderWord(int Epoch, long HighWatermark, long LogStartOffset, long CommittedOffset)
{
    /// <summary>This, and what was known before: of one leadership only what is more counts, since answers may overtake each other.</summary>
    public LeaderWord After(LeaderWord? before) => before is null || before.Epoch < Epoch ? this
        : before.Epoch > Epoch ? before
        : new LeaderWord(
            Epoch,
            Math.Max(HighWatermark, before.HighWatermark),
            Math.Max(LogStartOffset, before.LogStartOffset),
            Math.Max(CommittedOffset, before.CommittedOffset));
}
