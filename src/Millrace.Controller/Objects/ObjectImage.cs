using System.Collections.Immutable;
using Millrace.Metadata;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Objects;

/// <summary>All data objects as of one entry of the metadata log. Immutable.</summary>
internal sealed record ObjectImage
{
    public static ObjectImage Empty { get; } = new();

    public ImmutableSortedDictionary<ObjectId, ObjectState> All { get; private init; } = ImmutableSortedDictionary<ObjectId, ObjectState>.Empty;

    /// <summary>Those handed out and not yet committed.</summary>
    public ImmutableSortedSet<ObjectId> Prepared { get; private init; } = [];

    /// <summary>Committed ones that nothing refers to any more.</summary>
    public ImmutableSortedSet<ObjectId> Unreferenced { get; private init; } = [];

    /// <summary>Those on their way out.</summary>
    public ImmutableSortedSet<ObjectId> Deleting { get; private init; } = [];

    public ObjectState? Find(ObjectId id) => All.GetValueOrDefault(id);

    public ObjectImage Prepare(ObjectsPreparedRecord record)
    {
        var owner = new NodeIncarnation(new NodeId(record.NodeId), new NodeEpoch(record.NodeEpoch));
        var image = this;
        for (var i = 0; i < record.Count; i++)
        {
            image = image.With(new ObjectState(new ObjectId(record.FirstObjectId + i), ObjectPhase.Prepared, owner, record.Time)
            {
                Store = new StoreId(record.StoreId),
            });
        }

        return image;
    }

    /// <summary>Nothing refers to it yet: the ranges that are committed with it do so in the same entry.</summary>
    public ObjectImage Commit(ObjectId id, StoreId store, ObjectKind kind, long size)
    {
        var state = All[id];
        Invariant.Check(state.Phase == ObjectPhase.Prepared && state.Store == store);
        return With(state with { Phase = ObjectPhase.Committed, Kind = kind, Size = size });
    }

    public ObjectImage Refer(ObjectId id, int change)
    {
        var state = All[id];
        var references = state.References + change;
        Invariant.Check(state.Phase == ObjectPhase.Committed && references >= 0);
        return With(state with { References = references });
    }

    public ObjectImage Delete(ObjectId id, StoreId store, long time)
    {
        var state = All[id];
        Invariant.Check(state.References == 0 && state.Phase != ObjectPhase.Deleting && state.Store == store);
        return With(state with { Phase = ObjectPhase.Deleting, Time = time });
    }

    public ObjectImage Remove(ObjectId id, StoreId store)
    {
        Invariant.Check(All[id] is { Phase: ObjectPhase.Deleting } state && state.Store == store);
        return this with { All = All.Remove(id), Deleting = Deleting.Remove(id) };
    }

    /// <summary>Puts in an object as it is.</summary>
    /// <exception cref="ProtocolException">It lies in a store that only a newer program knows.</exception>
    public ObjectImage With(ObjectState state) =>
        state.Store != StoreId.Own
            ? throw new ProtocolException($"Object {state.Id} lies in store {state.Store}, and this program knows only the cluster's own: it needs a newer one")
            : this with
            {
                All = All.SetItem(state.Id, state),
                Prepared = Include(Prepared, state.Id, state.Phase == ObjectPhase.Prepared),
                Unreferenced = Include(Unreferenced, state.Id, state is { Phase: ObjectPhase.Committed, References: 0 }),
                Deleting = Include(Deleting, state.Id, state.Phase == ObjectPhase.Deleting),
            };

    private static ImmutableSortedSet<ObjectId> Include(ImmutableSortedSet<ObjectId> set, ObjectId id, bool included) =>
        included ? set.Add(id) : set.Remove(id);
}
