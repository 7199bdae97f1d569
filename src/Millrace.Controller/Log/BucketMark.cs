using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Streams.Objects;

namespace Millrace.Controller.Log;

/// <summary>
/// The mark by which a bucket is known for Millrace's, in a format that this program knows (<see cref="BucketFormat"/>). Checked before anything
/// else of a bucket is read or written, and set before anything is written into a new one.
/// </summary>
/// <param name="runtime">Time and lots.</param>
/// <param name="storage">The bucket.</param>
/// <param name="limit">How long the store is waited for.</param>
public sealed class BucketMark(NodeRuntime runtime, IObjectStorage storage, TimeSpan limit)
{
    private const string Untouched = "Nothing in it was changed.";

    private readonly ObjectLog _log = new(runtime, storage, MetadataLog.Prefix, new ObjectLogOptions());

    /// <summary>Looks whether the bucket is one that this program can use, or is empty. Reads only.</summary>
    /// <exception cref="ForeignBucketException">Another version's, or something else's.</exception>
    /// <exception cref="ObjectStorageException">The store does not answer in time, or refuses.</exception>
    public async ValueTask CheckAsync(CancellationToken token) => await StorePatience.DoAsync(
        runtime,
        storage,
        limit,
        async patience =>
        {
            var body = await patience.UntilAnsweredAsync(() => storage.GetAsync(BucketFormat.Key, patience.Token));
            if (body is not null)
            {
                RequireKnown(Read(body));
            }

            if (!await HasMetadataAsync(patience))
            {
                await RequireEmptyAsync(patience);
            }
            else if (body is null)
            {
                // A new bucket is marked before anything else is written: another may have done both since the mark was looked for.
                body = await patience.UntilAnsweredAsync(() => storage.GetAsync(BucketFormat.Key, patience.Token));
                RequireKnown(body is null ? BucketFormat.Unmarked : Read(body));
            }

            return true;
        },
        token);

    /// <summary>Marks a bucket that has no mark yet: a new one. Whoever marks it first, counts.</summary>
    /// <exception cref="ForeignBucketException">Another version was faster.</exception>
    /// <exception cref="ObjectStorageException">The store does not answer in time, or refuses.</exception>
    public async ValueTask SetAsync(CancellationToken token) => await StorePatience.DoAsync(
        runtime,
        storage,
        limit,
        async patience =>
        {
            var mark = new ReadOnlySequence<byte>(new BucketFormat(BucketFormat.Current, ProductVersion.Program).Write());
            while (true)
            {
                if (await patience.UntilAnsweredAsync(() => storage.GetAsync(BucketFormat.Key, patience.Token)) is { } body)
                {
                    RequireKnown(Read(body));
                    return true;
                }

                await patience.UntilAnsweredAsync(() => storage.TryCreateAsync(BucketFormat.Key, mark, patience.Token));
            }
        },
        token);

    private BucketFormat Read(byte[] body) => BucketFormat.Read(body) ?? throw new ForeignBucketException(
        $"{storage.Name}: {BucketFormat.Key} ({body.Length} bytes) does not say in which format of Millrace's the rest is: it was damaged, or something else "
        + $"has written it. {Untouched} Restore that object from a copy of the bucket, or choose another store (--store, --data-dir).");

    private void RequireKnown(BucketFormat found)
    {
        if (found.IsKnown)
        {
            return;
        }

        var known = BucketFormat.Oldest == BucketFormat.Current ? $"format {BucketFormat.Current}" : $"formats {BucketFormat.Oldest} to {BucketFormat.Current}";
        throw new ForeignBucketException(
            $"{storage.Name} was written by {found.WrittenBy} in format {found.Level}, and this is {ProductVersion.Program}, which knows {known}. {Untouched} "
            + (found.Level > BucketFormat.Current ? "Use that version, or a newer one" : "Use that version")
            + "; or choose another store (--store, --data-dir). "
            + (found == BucketFormat.Unmarked ? $"(It has no {BucketFormat.Key}.)" : $"({BucketFormat.Key} says so.)"));
    }

    /// <summary>
    /// Whether there is any metadata beside the mark; what of it was listed has names that metadata has. One page tells: a start that listed a log of
    /// many thousand entries would take longer for this than for reading them.
    /// </summary>
    private async ValueTask<bool> HasMetadataAsync(StorePatience patience)
    {
        var hasMetadata = false;
        await foreach (var page in storage.ListPagesAsync(MetadataLog.Prefix, patience.Retry, patience.Token))
        {
            foreach (var (key, size) in page.Where(found => !IsFolderMark(found.Key) && found.Key != BucketFormat.Key))
            {
                hasMetadata = true;
                if (!_log.IsKey(key) && SnapshotKey.Place(key) is null)
                {
                    throw new ForeignBucketException(
                        $"{storage.Name}: {key} ({size} bytes) is none of Millrace's objects, and everything below {MetadataLog.Prefix} has to be. {Untouched} "
                        + "Take it away if you know what it is; if a newer version of Millrace wrote it, use that one.");
                }
            }

            // A page of nothing but marks of folders tells nothing.
            if (hasMetadata)
            {
                break;
            }
        }

        return hasMetadata;
    }

    /// <summary>
    /// A new cluster forms in an empty bucket only: what lies there is another product's, or data whose metadata has gone. Unless another node has formed
    /// the cluster since the metadata was looked for, and by now has written all kinds of things.
    /// </summary>
    private async ValueTask RequireEmptyAsync(StorePatience patience)
    {
        await foreach (var page in storage.ListPagesAsync("", patience.Retry, patience.Token))
        {
            foreach (var (key, size) in page.Where(found => !IsHarmless(found.Key)))
            {
                if (await HasMetadataAsync(patience))
                {
                    // Another has formed the cluster since: it is joined.
                    return;
                }

                throw new ForeignBucketException(
                    $"{storage.Name} holds no cluster, and is not empty: {key} ({size} bytes) is "
                    + (IsData(key)
                        ? $"data of a cluster whose metadata ({MetadataLog.Prefix}) is not there. {Untouched} Restore that from a copy of the bucket, or "
                        : $"none of Millrace's objects. {Untouched} A cluster has its store for itself: ")
                    + "choose an empty bucket or folder, or a prefix of its own (--store s3://bucket/prefix).");
            }
        }
    }

    private static bool IsData(string key) => DataObjectKey.Parse(key) is not null || key.StartsWith("WAL/", StringComparison.Ordinal);

    // A probe that was killed leaves its objects.
    private static bool IsHarmless(string key) =>
        IsFolderMark(key) || key == BucketFormat.Key || key.StartsWith(StorageProbe.Prefix, StringComparison.Ordinal);

    // Consoles of object stores show folders, and make empty objects for them.
    private static bool IsFolderMark(string key) => key.Length == 0 || key[^1] == '/';
}
