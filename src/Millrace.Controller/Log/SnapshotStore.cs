using System.Buffers;
using Microsoft.Extensions.Logging;
using Millrace.Metadata;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Millrace.Protocol.Messages;
using Millrace.Runtime;

namespace Millrace.Controller.Log;

/// <summary>The snapshots in the bucket (<see cref="SnapshotKey"/>): a snapshot is there when its head is, which is written last and deleted first.</summary>
/// <remarks>A store that does not answer is waited for, as the log itself does.</remarks>
internal sealed class SnapshotStore
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger;
    private readonly IObjectStorage _storage;
    private readonly int _partBytes;
    private readonly StoreRetry _retry;
    private readonly SnapshotReader _reader;

    /// <param name="runtime">Time and lots.</param>
    /// <param name="storage">The bucket.</param>
    /// <param name="options">Says how large an object becomes.</param>
    public SnapshotStore(NodeRuntime runtime, IObjectStorage storage, MetadataLogOptions options)
    {
        _logger = runtime.Loggers.CreateLogger<SnapshotStore>();
        _storage = storage;
        _partBytes = options.SnapshotPartBytes;
        _retry = new StoreRetry(runtime, FirstPause, LongestPause)
        {
            Failed = (failure, _) => ControllerMessages.StorageFailed(_logger, "reading or writing snapshots of the metadata", failure.Message),
        };
        _reader = new SnapshotReader(storage, _retry);
    }

    /// <summary>
    /// The newest snapshot that is whole. One that is not is passed over and reported: the one before it is kept, with the log from there on, for just that.
    /// </summary>
    /// <param name="whole">With the streams; else only the cluster half is read, and judged.</param>
    /// <param name="token">Ends the wait.</param>
    /// <exception cref="ProtocolException">A newer program wrote it.</exception>
    public async ValueTask<SnapshotSearch> FindAsync(bool whole, CancellationToken token)
    {
        while (true)
        {
            var heads = Heads(await ListAsync(token));
            var damaged = new List<string>();
            foreach (var place in heads.Reverse())
            {
                try
                {
                    if (await _reader.ReadAsync(place, whole, token) is { } found)
                    {
                        return new SnapshotSearch(found.Snapshot, found.Bytes, damaged);
                    }
                }
                catch (SnapshotDamageException damage)
                {
                    damaged.Add(damage.Key);
                    ControllerMessages.SnapshotDamaged(_logger, damage.Key, damage.Message);
                }
            }

            if (damaged.Count == heads.Count)
            {
                return new SnapshotSearch(null, 0, damaged);
            }

            // Some that were listed have been deleted since: so there are newer ones.
        }
    }

    /// <summary>
    /// Writes a snapshot, each object of it read back before the next, and the head when all others are there. When this returns the log below it could go.
    /// </summary>
    /// <returns>Its bytes.</returns>
    /// <exception cref="InvalidDataException">Something else was read back.</exception>
    public async ValueTask<long> SaveAsync(Snapshot snapshot, CancellationToken token)
    {
        var cluster = await SavePartsAsync(snapshot, SnapshotHalf.Cluster, snapshot.State.ClusterRecords(), token);
        var streams = await SavePartsAsync(snapshot, SnapshotHalf.Streams, snapshot.State.Streams.ToRecords(), token);
        await SaveAsync(SnapshotKey.Head(snapshot.Start.Next), SnapshotFormat.WriteHead(snapshot, cluster, streams), token);
        return cluster.Concat(streams).Sum(part => (long)part.Length);
    }

    /// <summary>
    /// Deletes all that are older than the two newest whole ones, and says where the log may be trimmed: below the older of these. The newest was
    /// read back when it was saved; the one before may have rotted since, and then it is none to fall back on. Null while there are fewer.
    /// </summary>
    public async ValueTask<LogPlace?> TrimAsync(CancellationToken token)
    {
        var keys = await ListAsync(token);
        foreach (var place in Heads(keys).Reverse().Skip(1))
        {
            switch (await _reader.IsWholeAsync(place, token))
            {
                case true:
                    string[] older = [.. keys.Where(key => SnapshotKey.Place(key) < place)];
                    await DeleteAsync([.. older.Where(SnapshotKey.IsHead)], token);
                    await DeleteAsync([.. older.Where(key => !SnapshotKey.IsHead(key))], token);
                    return place;
                case false:
                    ControllerMessages.SnapshotDamaged(_logger, SnapshotKey.Head(place), "it is not counted among those that are kept");
                    break;
                default:
                    break;
            }
        }

        return null;
    }

    private async ValueTask<List<SnapshotHead.Part>> SavePartsAsync(
        Snapshot snapshot, SnapshotHalf half, IEnumerable<IRecord> records, CancellationToken token)
    {
        var parts = new List<SnapshotHead.Part>();
        foreach (var part in SnapshotFormat.WriteParts(records, _partBytes))
        {
            await SaveAsync(SnapshotKey.Part(snapshot.Start.Next, half, parts.Count), part, token);
            parts.Add(SnapshotFormat.Describe(part));
        }

        return parts;
    }

    private async ValueTask SaveAsync(string key, byte[] body, CancellationToken token)
    {
        var stored = await _retry.UntilAnsweredAsync(
            async () =>
            {
                await _storage.TryCreateAsync(key, new ReadOnlySequence<byte>(body), token);
                return await _storage.GetAsync(key, token);
            },
            token);

        // Somebody who took a snapshot of the same place wrote the same state, and so the same bytes. Absent, it was created before
        // and has been deleted by one who is further on.
        if (stored is not null && !stored.AsSpan().SequenceEqual(body))
        {
            throw new InvalidDataException($"{key}, of a snapshot, does not hold what was written to it");
        }
    }

    private ValueTask<bool> DeleteAsync(string[] keys, CancellationToken token) => _retry.UntilAnsweredAsync(
        async () =>
        {
            await _storage.DeleteAsync(keys, token);
            return true;
        },
        token);

    private async ValueTask<IReadOnlyList<string>> ListAsync(CancellationToken token)
    {
        var keys = new List<string>();
        await foreach (var page in _storage.ListPagesAsync(SnapshotKey.Prefix, _retry, token))
        {
            keys.AddRange(page.Select(entry => entry.Key).Where(key => SnapshotKey.Place(key) is not null));
        }

        return keys;
    }

    // The order of keys is the order of places.
    private static IReadOnlyList<LogPlace> Heads(IReadOnlyList<string> keys) =>
        [.. keys.Where(SnapshotKey.IsHead).Select(key => SnapshotKey.Place(key)!.Value)];
}
