using Millrace.Controller.Log;

namespace Millrace.Benchmarks.Growth;

/// <summary>The entries of a cluster's metadata log, as they lie in a store that is a directory.</summary>
/// <param name="store">That directory.</param>
internal sealed class MetadataLogFolder(string store)
{
    private readonly DirectoryInfo _entries = new(Path.Combine(store, MetadataLog.Prefix, "LOG"));

    /// <summary>The newest of them.</summary>
    public string Newest() => Files().MaxBy(file => file.FullName, StringComparer.Ordinal)!.FullName;

    /// <summary>How many have come after one, and their bytes.</summary>
    /// <exception cref="InvalidOperationException">That one is not there any more, and some of these may have gone with it.</exception>
    public (int Entries, long Bytes) Since(string entry)
    {
        var later = Files().Where(file => string.CompareOrdinal(file.FullName, entry) > 0).ToList();
        return File.Exists(entry)
            ? (later.Count, later.Sum(file => file.Length))
            : throw new InvalidOperationException("The log was trimmed meanwhile: what came into it cannot be counted. Move less.");
    }

    private IEnumerable<FileInfo> Files() => _entries.EnumerateFiles("*", SearchOption.AllDirectories);
}
