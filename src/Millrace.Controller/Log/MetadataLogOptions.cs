namespace Millrace.Controller.Log;

/// <summary>
/// How the metadata log is kept short: a snapshot is due after so much of it, or after log that costs half as much to read as the last snapshot, if that is
/// more (<see cref="SnapshotPace"/>).
/// </summary>
public sealed record MetadataLogOptions
{
    /// <summary>So many entries...</summary>
    public int SnapshotEntries { get; init; } = 2_000;

    /// <summary>...or terms: entries are read ahead, and the end of a term takes several calls, one after the other...</summary>
    public int SnapshotTerms { get; init; } = 50;

    /// <summary>...or bytes, or some of each.</summary>
    public long SnapshotBytes { get; init; } = 16 << 20;

    /// <summary>How large an object of a snapshot becomes.</summary>
    public int SnapshotPartBytes { get; init; } = 4 << 20;
}
