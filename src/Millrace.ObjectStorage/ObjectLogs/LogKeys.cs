using System.Globalization;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>
/// The keys of one log. Numbers are hexadecimal with 16 digits, so that a list comes in numeric order; markers' numbers are
/// inverted field by field, so that the highest boundary comes first.
/// </summary>
internal sealed class LogKeys(string prefix)
{
    private const int Digits = 16;

    public string Objects { get; } = prefix + "LOG/";

    public string Markers { get; } = prefix + "TRIM/";

    /// <summary>What the keys of a term's objects begin with.</summary>
    public string Term(long term) => string.Create(CultureInfo.InvariantCulture, $"{Objects}{term:x16}/");

    public string Object(LogPlace place) => Objects + Encode(place.Term, place.Index);

    public string Marker(LogPlace boundary) => Markers + Encode(long.MaxValue - boundary.Term, long.MaxValue - boundary.Index);

    /// <summary>The place in an object's key, or null if it is not a key of this log.</summary>
    public LogPlace? ObjectPlace(string key) =>
        Decode(key, Objects) is { } numbers ? new LogPlace(numbers.First, numbers.Second) : null;

    /// <summary>The boundary in a marker's key, or null if it is not a key of this log.</summary>
    public LogPlace? MarkerPlace(string key) =>
        Decode(key, Markers) is { } numbers ? new LogPlace(long.MaxValue - numbers.First, long.MaxValue - numbers.Second) : null;

    private static string Encode(long first, long second) => string.Create(CultureInfo.InvariantCulture, $"{first:x16}/{second:x16}");

    private static (long First, long Second)? Decode(string key, string prefix)
    {
        if (key.Length != prefix.Length + 2 * Digits + 1 || !key.StartsWith(prefix, StringComparison.Ordinal) || key[prefix.Length + Digits] != '/')
        {
            return null;
        }

        var numbers = key.AsSpan(prefix.Length);
        return long.TryParse(numbers[..Digits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var first) && first >= 0 &&
            long.TryParse(numbers[(Digits + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var second) && second >= 0
            ? (first, second)
            : null;
    }
}
