using System.Globalization;

namespace Millrace.Server.Cli;

/// <summary>A time on the command line: ISO 8601, in UTC unless it says otherwise, or milliseconds since the Unix epoch.</summary>
internal static class PointInTime
{
    /// <returns>Milliseconds since the Unix epoch; null if the text is no time.</returns>
    public static long? TryParse(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) ? milliseconds
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time.ToUnixTimeMilliseconds()
        : null;
}
