using System.Buffers;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;

namespace Millrace.Controller.Log;

/// <summary>The snapshots in the bucket: <c>meta/snapshots/TTTTTTTTTTTTTTTT-IIIIIIIIIIIIIIII</c>, by the place of the log they end before.</summary>
/// <remarks>A store that does not answer is waited for, as the log itself does.</remarks>
internal sealed class SnapshotStore
{
    private const string Prefix = MetadataLog.Prefix + "snapshots/";

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger;
    private readonly IObjectStorage _storage;
    private readonly StoreRetry _retry;

    /// <param name="runtime">Time and lots.</param>
    /// <param name="storage">The bucket.</param>
    public SnapshotStore(NodeRuntime runtime, IObjectStorage storage)
    {
        _logger = runtime.Loggers.CreateLogger<SnapshotStore>();
        _storage = storage;
        _retry = new StoreRetry(runtime, FirstPause, LongestPause)
        {
            Failed = (failure, _) => ControllerMessages.StorageFailed(_logger, "reading or writing snapshots of the metadata", failure.Message),
        };
    }

    /// <summary>
    /// The newest snapshot that is whole. One that is not is passed over and reported: the one before it is kept, with the log from there on, for just that.
    /// </summary>
    public async ValueTask<SnapshotSearch> FindAsync(CancellationToken token)
    {
        while (true)
        {
            var keys = await ListAsync(token);
            var damaged = new List<string>();
            foreach (var key in keys.Reverse())
            {
                if (await _retry.UntilAnsweredAsync(() => _storage.GetAsync(key, token), token) is not { } body)
                {
                    continue;
                }

                try
                {
                    return new SnapshotSearch(SnapshotFormat.Read(body), damaged);
                }
                catch (ProtocolException newer)
                {
                    throw new ProtocolException($"{_storage.Name}: {key}: {newer.Message}", newer);
                }
                catch (InvalidDataException damage)
                {
                    damaged.Add(key);
                    ControllerMessages.SnapshotDamaged(_logger, key, damage.Message);
                }
            }

            if (damaged.Count == keys.Count)
            {
                return new SnapshotSearch(null, damaged);
            }

            // Some that were listed have been deleted since: so there are newer ones.
        }
    }

    /// <summary>Writes a snapshot and reads it back. When this returns the log below it could go.</summary>
    public async ValueTask SaveAsync(Snapshot snapshot, CancellationToken token)
    {
        var key = Key(snapshot.Start.Next);
        var body = SnapshotFormat.Write(snapshot);
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
            throw new InvalidDataException($"The snapshot {key} does not hold what was written to it");
        }
    }

    /// <summary>
    /// Deletes all that are older than the two newest whole ones, and says where the log may be trimmed: below the older of these. The newest was
    /// read back when it was saved; the one before may have rotted since, and then it is none to fall back on. Null while there are fewer.
    /// </summary>
    public async ValueTask<LogPlace?> TrimAsync(CancellationToken token)
    {
        var keys = await ListAsync(token);
        for (var i = keys.Count - 2; i >= 0; i--)
        {
            var key = keys[i];
            if (await _retry.UntilAnsweredAsync(() => _storage.GetAsync(key, token), token) is not { } body)
            {
                continue;
            }

            if (!SnapshotFormat.IsWhole(body))
            {
                ControllerMessages.SnapshotDamaged(_logger, key, "it is not counted among those that are kept");
                continue;
            }

            string[] older = [.. keys.Take(i)];
            await _retry.UntilAnsweredAsync(() => _storage.DeleteAsync(older, token), token);
            return Place(key);
        }

        return null;
    }

    /// <summary>The place that a snapshot of this name ends before; null if no snapshot has such a name.</summary>
    public static LogPlace? Place(string key)
    {
        var name = key.StartsWith(Prefix, StringComparison.Ordinal) ? key.AsSpan(Prefix.Length) : default;
        return name.Length == 33
            && long.TryParse(name[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var term)
            && long.TryParse(name[17..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var index)
                ? new LogPlace(term, index)
                : null;
    }

    private async ValueTask<IReadOnlyList<string>> ListAsync(CancellationToken token)
    {
        var keys = new List<string>();
        await foreach (var page in _storage.ListPagesAsync(Prefix, _retry, token))
        {
            keys.AddRange(page.Select(entry => entry.Key).Where(key => Place(key) is not null));
        }

        // Fixed width: the order of keys is the order of places.
        return keys;
    }

    private static string Key(LogPlace place) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{place.Term:x16}-{place.Index:x16}");
}
