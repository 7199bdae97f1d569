using Millrace.Metadata;
using Millrace.Runtime;
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
            .Take(limit)
            .Select(id => id.Value)
            .ToArray();
        if (going.Length > 0)
        {
            entry.Add(new ObjectsDeletingRecord { ObjectIds = going, Time = entry.Now });
        }
    }

    /// <summary>Forgets objects that the store no longer holds.</summary>
    public static void EndDeletion(PendingEntry entry, IReadOnlyList<ObjectId> deleted)
    {
        var gone = deleted.Where(entry.Streams.Objects.Deleting.Contains).Select(id => id.Value).ToArray();
        if (gone.Length > 0)
        {
            entry.Add(new ObjectsRemovedRecord { ObjectIds = gone });
        }
    }
}
