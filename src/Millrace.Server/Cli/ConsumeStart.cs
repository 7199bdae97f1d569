using System.Globalization;
using Confluent.Kafka;

namespace Millrace.Server.Cli;

/// <summary>Where a consumer begins in each partition.</summary>
/// <param name="Reset">Start or end, for groups without a commit.</param>
/// <param name="Offset">An absolute offset.</param>
/// <param name="BeforeEnd">So many records before the end.</param>
/// <param name="Time">The first record at or after this time, milliseconds since the Unix epoch.</param>
internal sealed record ConsumeStart(AutoOffsetReset Reset, long? Offset = null, long? BeforeEnd = null, long? Time = null)
{
    /// <summary>More than start or end.</summary>
    public bool NeedsLookup => Offset is not null || BeforeEnd is not null || Time is not null;

    public static ConsumeStart Parse(string text)
    {
        if (text is "start" or "end")
        {
            return new(text == "start" ? AutoOffsetReset.Earliest : AutoOffsetReset.Latest);
        }

        if (text.StartsWith('@'))
        {
            return new(AutoOffsetReset.Latest, Time: PointInTime.TryParse(text[1..]) ?? throw Wrong(text));
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number >= 0 ? new(AutoOffsetReset.Earliest, Offset: number) : new(AutoOffsetReset.Earliest, BeforeEnd: -number)
            : throw Wrong(text);
    }

    private static CommandFailedException Wrong(string text) =>
        new(ExitCode.Usage, $"--offset takes start, end, an offset, -N or @TIME, not '{text}'.");
}
