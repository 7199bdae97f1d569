namespace Millrace.Benchmarks.Opening;

/// <summary>Calls to a store.</summary>
/// <param name="Reads">Of objects and parts of them.</param>
/// <param name="BytesRead">What they asked for.</param>
/// <param name="Lists">Pages of lists.</param>
/// <param name="Writes">Of objects, entries of logs among them.</param>
/// <param name="Entries">Of the metadata log.</param>
internal readonly record struct StorageCalls(long Reads, long BytesRead, long Lists, long Writes, long Entries)
{
    public static StorageCalls operator -(StorageCalls left, StorageCalls right) =>
        new(left.Reads - right.Reads, left.BytesRead - right.BytesRead, left.Lists - right.Lists, left.Writes - right.Writes, left.Entries - right.Entries);

    public override string ToString() => $"{Reads} reads of {BytesRead >> 10} KiB, {Lists} lists, {Writes} writes, {Entries} log entries";
}
