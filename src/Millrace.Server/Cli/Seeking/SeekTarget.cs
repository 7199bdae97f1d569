using System.Globalization;
using System.Xml;
using Confluent.Kafka;

namespace Millrace.Server.Cli.Seeking;

/// <summary>Where a group is to go on, said for all partitions alike: what kafka-consumer-groups can reset offsets to.</summary>
internal sealed class SeekTarget
{
    private readonly Func<SeekPosition, long> _choose;

    private SeekTarget(Func<SeekPosition, long> choose, long? time = null) => (_choose, Time) = (choose, time);

    /// <summary>The time that must be looked for, milliseconds since the Unix epoch; null if none must.</summary>
    public long? Time { get; }

    /// <param name="text">earliest or start, latest or end, an offset, or @TIME.</param>
    public static SeekTarget To(string text) => text switch
    {
        "earliest" or "start" => new(position => position.Earliest),
        "latest" or "end" => new(position => position.Latest),
        _ when text.StartsWith('@') => At(PointInTime.TryParse(text[1..]) ?? throw Wrong(text)),
        _ => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset) ? new(_ => offset) : throw Wrong(text),
    };

    /// <param name="duration">ISO 8601, as P7D or PT1H30M.</param>
    /// <param name="now">What it is taken from.</param>
    public static SeekTarget Back(string duration, DateTimeOffset now)
    {
        try
        {
            return XmlConvert.ToTimeSpan(duration) is var back && back >= TimeSpan.Zero
                ? At((now - back).ToUnixTimeMilliseconds())
                : throw new FormatException("It is negative.");
        }
        catch (Exception failure) when (failure is FormatException or OverflowException or ArgumentOutOfRangeException)
        {
            throw new CommandFailedException(
                ExitCode.Usage, $"--back takes a duration in ISO 8601, as PT90S, PT1H30M or P7D, not '{duration}'.", failure);
        }
    }

    /// <param name="records">So many on, or back if below 0.</param>
    public static SeekTarget Shift(long records) => new(position => position.Committed is { } committed
        ? SaturatingAdd(committed, records)
        : throw new CommandFailedException(ExitCode.Failed, $"{position.Name} has no committed offset to shift. Name a place with --to."));

    public static SeekTarget From(IReadOnlyDictionary<TopicPartition, long> offsets) => new(position => offsets[position.Partition]);

    /// <summary>Never outside of what can be read: a group's members would jump to a place that nobody chose.</summary>
    /// <returns>The new offset, and whether it is another than was asked for.</returns>
    public (long Offset, bool IsClamped) Choose(SeekPosition position)
    {
        var asked = _choose(position);
        var offset = Math.Clamp(asked, position.Earliest, position.Latest);
        return (offset, offset != asked);
    }

    // Where nothing is that young, what comes next is the first.
    private static SeekTarget At(long time) => new(position => position.AtTime ?? position.Latest, time);

    private static long SaturatingAdd(long offset, long records) => (long)Int128.Clamp((Int128)offset + records, long.MinValue, long.MaxValue);

    private static CommandFailedException Wrong(string text) =>
        new(ExitCode.Usage, $"--to takes earliest, latest, an offset or @TIME (ISO 8601, or ms), not '{text}'.");
}
