using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Objects;

/// <summary>The life of objects before and after they hold data, as decisions on a state.</summary>
internal static class ObjectOperations
{
    /// <summary>More objects than one upload ever has; bounds the entry.</summary>
    internal const int MaxPrepared = 10_000;

    public static ObjectId Prepare(PendingEntry entry, NodeIncarnation node, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxPrepared);
        entry.RequireLive(node);
        var first = entry.Streams.NextObjectId;
        entry.Add(new ObjectsPreparedRecord
        {
            StoreId = StoreId.Own.Value,
            FirstObjectId = first,
            Count = count,
            NodeId = node.Node.Value,
            NodeEpoch = node.Epoch.Value,
            Time = entry.Now,
        });
        return new ObjectId(first);
    }

    /// <summary>
    /// Decides that objects go: committed ones that nothing refers to, and prepared ones whose owner is fenced or has left, or
    /// whose deadline has passed. No commit of them counts from this entry on.
    /// </summary>
    public static void BeginDeletion(PendingEntry entry, IReadOnlyCollection<ObjectId> expired, int limit)
    {
        var objects = entry.Streams.Objects;
        var going = objects.Unreferenced
            .Concat(objects.Prepared.Where(id => expired.Contains(id) || !entry.IsLive(objects.All[id].Owner)))
            .Take(limit);
        foreach (var (store, ids) in ByStore(entry, going))
        {
            entry.Add(new ObjectsDeletingRecord { StoreId = store.Value, ObjectIds = ids, Time = entry.Now });
        }
    }

    /// <summary>Forgets objects that the store no longer holds.</summary>
    public static void EndDeletion(PendingEntry entry, IReadOnlyList<ObjectId> deleted)
    {
        foreach (var (store, ids) in ByStore(entry, deleted.Where(entry.Streams.Objects.Deleting.Contains)))
        {
            entry.Add(new ObjectsRemovedRecord { StoreId = store.Value, ObjectIds = ids });
        }
    }

    // All at once: the records that are added change what they were chosen from.
    private static (StoreId Store, long[] Ids)[] ByStore(PendingEntry entry, IEnumerable<ObjectId> objects)
    {
        var known = entry.Streams.Objects.All;
        return [.. objects.GroupBy(id => known[id].Store).Select(group => (group.Key, group.Select(id => id.Value).ToArray()))];
    }
}
