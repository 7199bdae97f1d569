namespace Millrace.Controller.Log;

/// <summary>How the metadata log is kept short.</summary>
public sealed record MetadataLogOptions
{
    /// <summary>A snapshot is taken after so many entries, which bounds how long a start takes...</summary>
    public int SnapshotEntries { get; init; } = 2_000;

    /// <summary>...or after so many terms: entries are read ahead, and the end of a term takes several calls, one after the other...</summary>
    public int SnapshotTerms { get; init; } = 50;

    /// <summary>...or after so many bytes of them, which is also about the size that a snapshot may well have itself.</summary>
    public long SnapshotBytes { get; init; } = 16 << 20;
}
