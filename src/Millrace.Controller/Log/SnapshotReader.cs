using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Primitives;

namespace Millrace.Controller.Log;

/// <summary>Reads one snapshot, an object at a time.</summary>
/// <param name="storage">The bucket.</param>
/// <param name="retry">Waits for a store that does not answer.</param>
internal sealed class SnapshotReader(IObjectStorage storage, StoreRetry retry)
{
    /// <param name="place">Which one.</param>
    /// <param name="whole">With the streams; else they are left empty, and their objects unread.</param>
    /// <param name="token">Ends the wait.</param>
    /// <returns>Null if it has been deleted.</returns>
    /// <exception cref="SnapshotDamageException">An object of it is damaged or missing, or they contradict each other.</exception>
    /// <exception cref="ProtocolException">A newer program wrote it.</exception>
    public async ValueTask<(Snapshot Snapshot, long Bytes)?> ReadAsync(LogPlace place, bool whole, CancellationToken token)
    {
        var builder = new ClusterStateBuilder();
        var head = await ReadPartsAsync(
            place,
            whole,
            content =>
            {
                foreach (var record in MetadataEntry.Read(content))
                {
                    builder.Add(record);
                }
            },
            token);
        return head is null
            ? null
            : (SnapshotFormat.ToSnapshot(head, Judge(SnapshotKey.Head(place), builder.Build)),
                head.ClusterParts.Concat(head.StreamParts).Sum(part => (long)part.Length));
    }

    /// <summary>Whether every object of it is there and has the content that its head says; null if it has been deleted.</summary>
    /// <exception cref="ProtocolException">A newer program wrote it.</exception>
    public async ValueTask<bool?> IsWholeAsync(LogPlace place, CancellationToken token)
    {
        try
        {
            return await ReadPartsAsync(place, whole: true, _ => { }, token) is null ? null : true;
        }
        catch (SnapshotDamageException)
        {
            return false;
        }
    }

    private async ValueTask<SnapshotHead?> ReadPartsAsync(LogPlace place, bool whole, Action<ReadOnlyMemory<byte>> read, CancellationToken token)
    {
        var headKey = SnapshotKey.Head(place);
        if (await GetAsync(headKey, token) is not { } body)
        {
            return null;
        }

        var head = Judge(headKey, () => SnapshotFormat.ReadHead(body));
        foreach (var (half, parts) in new[] { (SnapshotHalf.Cluster, head.ClusterParts), (SnapshotHalf.Streams, whole ? head.StreamParts : []) })
        {
            for (var number = 0; number < parts.Count; number++)
            {
                var key = SnapshotKey.Part(place, half, number);
                if (await GetAsync(key, token) is not { } bytes)
                {
                    // Whoever deletes a snapshot begins with its head.
                    return await GetAsync(headKey, token) is null ? null : throw new SnapshotDamageException(key, "it is not there", null);
                }

                var listed = parts[number];
                Judge(key, () =>
                {
                    read(SnapshotFormat.ReadPart(bytes, listed));
                    return true;
                });
            }
        }

        return head;
    }

    private ValueTask<byte[]?> GetAsync(string key, CancellationToken token) =>
        retry.UntilAnsweredAsync(() => storage.GetAsync(key, token), token);

    private T Judge<T>(string key, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException damage)
        {
            throw new SnapshotDamageException(key, damage.Message, damage);
        }
        catch (Exception contradiction) when (ClusterState.IsContradiction(contradiction))
        {
            throw new SnapshotDamageException(key, $"its records contradict each other: {contradiction.Message}", contradiction);
        }
        catch (ProtocolException newer)
        {
            throw new ProtocolException($"{storage.Name}: {key}: {newer.Message}", newer);
        }
    }
}
