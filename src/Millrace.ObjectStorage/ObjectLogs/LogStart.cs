using System.Collections.Immutable;

namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>A place to read an object log from, with what must be known of the part before it. A snapshot carries one.</summary>
/// <param name="Next">The first place to read.</param>
/// <param name="After">
/// The put id of the seal that <paramref name="Next"/>'s term follows; for the first term of a log, whatever id its owner or
/// first taker named it by.
/// </param>
/// <param name="Seals">The places of all seals before <paramref name="Next"/> that count, in order: they are never deleted.</param>
public sealed record LogStart(LogPlace Next, Guid After, ImmutableArray<LogPlace> Seals)
{
    /// <summary>The beginning of a log whose first term nobody owns, or of one with a single term named by an id.</summary>
    public static LogStart Beginning(Guid after = default) => new(LogPlace.Start, after, []);

    internal LogStart AfterSeal(LogPlace seal, Guid putId) => new(seal.NextTerm, putId, Seals.Add(seal));
}
