namespace Millrace.Controller.Log;

/// <summary>
/// When the next snapshot is due: when the log since the last costs as much to read as a small snapshot, or half as much as the last one if that is more.
/// So a start reads a bounded log, and a large cluster does not write itself anew for every small part that changes.
/// </summary>
/// <remarks>Threading: one call at a time, but for <see cref="Taken"/>.</remarks>
internal sealed class SnapshotPace(MetadataLogOptions options)
{
    // An entry costs a call besides its bytes, and the end of a term several, one after the other: what as many bytes would.
    private readonly long _entry = Share(options.SnapshotBytes, options.SnapshotEntries);
    private readonly long _term = Share(options.SnapshotBytes, Math.Min(options.SnapshotTerms, options.SnapshotEntries));
    private long _cost;
    private long _lastBytes;

    public bool IsDue => _cost >= Math.Max(options.SnapshotBytes, Interlocked.Read(ref _lastBytes) / 2);

    public void AddEntry(int bytes) => _cost += bytes + _entry;

    public void AddTerm() => _cost += _term;

    /// <summary>What comes now is in no snapshot yet.</summary>
    public void Restart() => _cost = 0;

    /// <summary>A snapshot of so many bytes is there.</summary>
    public void Taken(long bytes) => Interlocked.Exchange(ref _lastBytes, bytes);

    private static long Share(long whole, int count) => ((whole - 1) / count) + 1;
}
