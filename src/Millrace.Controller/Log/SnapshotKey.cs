using System.Globalization;
using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Controller.Log;

/// <summary>
/// What the objects of a snapshot are called: <c>meta/snapshots/TTTTTTTTTTTTTTTT-IIIIIIIIIIIIIIII</c> is its head, by the place of the log it ends before;
/// its parts have the same name with <c>.cluster-NNNN</c> or <c>.streams-NNNN</c> behind it.
/// </summary>
/// <remarks>
/// All numbers are hexadecimal and of fixed width: the order of keys is the order of places, and of a snapshot's objects the head comes first.
/// </remarks>
internal static class SnapshotKey
{
    public const string Prefix = MetadataLog.Prefix + "snapshots/";

    private const int PlaceLength = 33;
    private const int PartLength = 4;
    private const string ClusterMark = ".cluster-";
    private const string StreamsMark = ".streams-";

    public static string Head(LogPlace place) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{place.Term:x16}-{place.Index:x16}");

    public static string Part(LogPlace place, SnapshotHalf half, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{Head(place)}{(half == SnapshotHalf.Cluster ? ClusterMark : StreamsMark)}{number:x4}");

    public static bool IsHead(string key) => key.Length == Prefix.Length + PlaceLength;

    /// <summary>The place that the snapshot ends before whose object has this name; null if none has such a name.</summary>
    public static LogPlace? Place(string key)
    {
        var name = key.StartsWith(Prefix, StringComparison.Ordinal) ? key.AsSpan(Prefix.Length) : default;
        return name.Length >= PlaceLength
            && IsPart(name[PlaceLength..])
            && long.TryParse(name[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var term)
            && long.TryParse(name[17..PlaceLength], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var index)
                ? new LogPlace(term, index)
                : null;
    }

    private static bool IsPart(ReadOnlySpan<char> rest) =>
        rest.IsEmpty
        || (rest.Length == ClusterMark.Length + PartLength
            && (rest.StartsWith(ClusterMark, StringComparison.Ordinal) || rest.StartsWith(StreamsMark, StringComparison.Ordinal))
            && int.TryParse(rest[^PartLength..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _));
}
