using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Objects;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Verification;

/// <summary>
/// Proves that a bucket holds what the metadata says, and nothing else: every range present and contiguous, every index, checksum
/// and digest right, no object that nobody refers to.
/// </summary>
/// <remarks>
/// Reads every byte once, one block at a time. The cluster may be running: what is younger than the inventory is passed over.
/// </remarks>
public sealed class StoreVerifier(NodeRuntime runtime, StreamsOptions options, IObjectStorage storage)
{
    private readonly DataObjectReader _reader = new(runtime, options, storage.ReadAsync);

    /// <param name="inventory">What the bucket should hold.</param>
    /// <param name="laterInventory">
    /// Asked at the end where an object was found to be gone: what it no longer refers to was merged, or trimmed, meanwhile, and deleted then.
    /// </param>
    /// <param name="token">Ends it.</param>
    /// <exception cref="StreamException">StorageUnavailable: the store does not answer, so nothing is proved.</exception>
    /// <exception cref="ObjectStorageException">As above.</exception>
    public async Task<VerificationReport> VerifyAsync(
        StoreInventory inventory, Func<CancellationToken, ValueTask<StoreInventory>> laterInventory, CancellationToken token)
    {
        var problems = new List<string>();
        foreach (var stream in inventory.Streams)
        {
            CheckContiguity(stream, problems);
        }

        var referenced = ReferencesIn(inventory);
        var missing = new SortedDictionary<ObjectId, string>();
        var (records, bytes) = (0L, 0L);
        foreach (var (id, ranges) in referenced)
        {
            var verification = new ObjectVerification(_reader, id, ranges, problems);
            var read = await verification.RunAsync(token);
            records += read.Records;
            bytes += read.Bytes;
            if (verification.Missing is { } gone)
            {
                missing.Add(id, gone);
            }
        }

        if (missing.Count > 0)
        {
            var later = ReferencesIn(await laterInventory(token));
            problems.AddRange(missing.Where(gone => later.ContainsKey(gone.Key)).Select(gone => gone.Value));
        }

        await FindLeaksAsync(inventory, referenced.Keys.ToHashSet(), problems, token);
        return new VerificationReport(inventory.Streams.Count, referenced.Count, records, bytes, problems);
    }

    private static SortedDictionary<ObjectId, List<ObjectRange>> ReferencesIn(StoreInventory inventory)
    {
        var referenced = new SortedDictionary<ObjectId, List<ObjectRange>>();
        foreach (var stream in inventory.Streams)
        {
            foreach (var range in stream.CheckpointRange is { } checkpoint ? stream.Ranges.Append(checkpoint) : stream.Ranges)
            {
                if (!referenced.TryGetValue(range.Object, out var ranges))
                {
                    referenced.Add(range.Object, ranges = []);
                }

                ranges.Add(range);
            }
        }

        return referenced;
    }

    private static void CheckContiguity(StreamInventory stream, List<string> problems)
    {
        var next = stream.Ranges.Count > 0 ? stream.Ranges[0].StartOffset : stream.EndOffset;
        if (next > stream.StartOffset)
        {
            problems.Add($"Stream {stream.Stream} begins at offset {stream.StartOffset}, and its first range at {next}");
        }

        foreach (var range in stream.Ranges)
        {
            if (range.StartOffset != next || range.EndOffset < range.StartOffset)
            {
                problems.Add($"Stream {stream.Stream} has a range [{range.StartOffset}, {range.EndOffset}) where offset {next} should follow");
            }

            next = range.EndOffset;
        }

        if (next != stream.EndOffset)
        {
            problems.Add($"Stream {stream.Stream} ends at offset {stream.EndOffset}, and its last range at {next}");
        }
    }

    private async Task FindLeaksAsync(StoreInventory inventory, HashSet<ObjectId> referenced, List<string> problems, CancellationToken token)
    {
        await foreach (var page in storage.ListPagesAsync(DataObjectKey.Prefix, token))
        {
            problems.AddRange(page.Select(entry => Judge(entry.Key, inventory, referenced)).OfType<string>());
        }

        foreach (var upload in await storage.ListUnfinishedUploadsAsync(DataObjectKey.Prefix, token))
        {
            if (Judge(upload.Key, inventory, referenced) is not null)
            {
                problems.Add($"An upload of {upload.Key} was begun at {upload.Begun:u} and never finished; its parts take space");
            }
        }
    }

    private static string? Judge(string key, StoreInventory inventory, HashSet<ObjectId> referenced) =>
        DataObjectKey.Parse(key) is not { } id ? $"{key} is no key of a data object"
        : id >= inventory.NextObject || referenced.Contains(id) || inventory.Pending.Contains(id) ? null
        : $"{key} belongs to no stream and is not about to be deleted: it has leaked";
}
