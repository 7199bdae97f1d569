namespace Millrace.ObjectStorage.ObjectLogs;

/// <summary>What a list of a term's objects tells.</summary>
/// <param name="NearEnd">Where a walk to the end of the term may begin: all that lies before it, from the boundary on, are acknowledged entries.</param>
/// <param name="Listed">What follows the last object of the list.</param>
/// <param name="Lengths">Bytes of the payloads, by their places.</param>
public sealed record LogListing(LogStart NearEnd, LogPlace Listed, IReadOnlyDictionary<LogPlace, long> Lengths);
