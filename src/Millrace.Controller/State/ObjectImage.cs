using System.Collections.Immutable;
using Millrace.Metadata;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <summary>All data objects as of one entry of the metadata log. Immutable.</summary>
internal sealed record ObjectImage
{
    public static ObjectImage Empty { get; } = new();

    public ImmutableSortedDictionary<ObjectId, ObjectState> All { get; private init; } = ImmutableSortedDictionary<ObjectId, ObjectState>.Empty;

    /// <summary>Those handed out and not yet committed.</summary>
    public ImmutableSortedSet<ObjectId> Prepared { get; private init; } = [];

    /// <summary>Committed ones that nothing refers to any more.</summary>
    public ImmutableSortedSet<ObjectId> Unreferenced { get; private init; } = [];

    /// <summary>Committed ones of which most is gone: less than half of the bytes counts, or less than a third of what referred to them is left.</summary>
    public ImmutableSortedSet<ObjectId> Thin { get; private init; } = [];

    /// <summary>Committed ones that something refers to, and that hold something of deleted streams, however little.</summary>
    public ImmutableSortedSet<ObjectId> WithDeleted { get; private init; } = [];

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
    public ObjectImage Commit(UploadCommittedRecord.CommittedObject committed) =>
        Commit(committed.ObjectId, committed.StoreId, new ObjectContent(
            (ObjectKind)committed.Kind, committed.Size, DigestOf(committed.DigestHigh, committed.DigestLow), committed.Bytes, committed.HasDeleted));

    /// <inheritdoc cref="Commit(UploadCommittedRecord.CommittedObject)"/>
    public ObjectImage Commit(ObjectCompactedRecord compacted) =>
        Commit(compacted.ObjectId, compacted.StoreId, new ObjectContent(
            (ObjectKind)compacted.Kind, compacted.Size, DigestOf(compacted.DigestHigh, compacted.DigestLow), compacted.Bytes, compacted.HasDeleted));

    /// <param name="id">The object.</param>
    /// <param name="change">By how much what refers to it changes.</param>
    public ObjectImage Refer(ObjectId id, ReferenceChange change)
    {
        var state = All[id];
        var references = state.References + change.Count;
        var live = state.LiveBytes + change.Bytes;
        Invariant.Check(state.Phase == ObjectPhase.Committed && references >= 0 && live >= 0 && live <= state.Bytes);
        return With(state with { References = references, MostReferences = Math.Max(references, state.MostReferences), LiveBytes = live });
    }

    /// <summary>A stream that lay in it is deleted.</summary>
    public ObjectImage MarkDeleted(ObjectId id) => With(All[id] with { HasDeleted = true });

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

    /// <summary>The image of objects as they are, with the number of references to each.</summary>
    /// <exception cref="ProtocolException">One lies in a store that only a newer program knows.</exception>
    public static ObjectImage Of(IReadOnlyCollection<ObjectState> objects)
    {
        foreach (var state in objects)
        {
            RequireKnownStore(state);
            Invariant.Check(state.References == 0 || state.Phase == ObjectPhase.Committed);
        }

        return new ObjectImage
        {
            All = ImmutableSortedDictionary.CreateRange(objects.Select(state => KeyValuePair.Create(state.Id, state))),
            Prepared = [.. objects.Where(IsPrepared).Select(state => state.Id)],
            Unreferenced = [.. objects.Where(IsUnreferenced).Select(state => state.Id)],
            Thin = [.. objects.Where(IsThin).Select(state => state.Id)],
            WithDeleted = [.. objects.Where(IsWithDeleted).Select(state => state.Id)],
            Deleting = [.. objects.Where(IsDeleting).Select(state => state.Id)],
        };
    }

    private ObjectImage Commit(long id, short store, ObjectContent content)
    {
        var state = All[new ObjectId(id)];
        Invariant.Check(state.Phase == ObjectPhase.Prepared && state.Store == new StoreId(store));
        return With(state with
        {
            Phase = ObjectPhase.Committed,
            Kind = content.Kind,
            Size = content.Size,
            Digest = content.Digest,
            Bytes = content.Bytes,
            HasDeleted = content.HasDeleted,
        });
    }

    private ObjectImage With(ObjectState state)
    {
        RequireKnownStore(state);
        return this with
        {
            All = All.SetItem(state.Id, state),
            Prepared = Include(Prepared, state.Id, IsPrepared(state)),
            Unreferenced = Include(Unreferenced, state.Id, IsUnreferenced(state)),
            Thin = Include(Thin, state.Id, IsThin(state)),
            WithDeleted = Include(WithDeleted, state.Id, IsWithDeleted(state)),
            Deleting = Include(Deleting, state.Id, IsDeleting(state)),
        };
    }

    private static bool IsPrepared(ObjectState state) => state.Phase == ObjectPhase.Prepared;

    private static bool IsUnreferenced(ObjectState state) => state is { Phase: ObjectPhase.Committed, References: 0 };

    // Most checkpoints that lay in an object are not the newest for long, and have no bytes here: of references alone fewer must be left.
    private static bool IsThin(ObjectState state) =>
        state is { Phase: ObjectPhase.Committed, References: > 0 }
        && (state.References * 3 < state.MostReferences || state.LiveBytes * 2 < state.Bytes);

    private static bool IsWithDeleted(ObjectState state) => state is { Phase: ObjectPhase.Committed, References: > 0, HasDeleted: true };

    private static bool IsDeleting(ObjectState state) => state.Phase == ObjectPhase.Deleting;

    private static RangeDigest DigestOf(long high, long low) => new(unchecked((ulong)high), unchecked((ulong)low));

    private static void RequireKnownStore(ObjectState state)
    {
        if (state.Store != StoreId.Own)
        {
            throw new ProtocolException($"Object {state.Id} lies in store {state.Store}, and this program knows only the cluster's own: it needs a newer one");
        }
    }

    private static ImmutableSortedSet<ObjectId> Include(ImmutableSortedSet<ObjectId> set, ObjectId id, bool included) =>
        included ? set.Add(id) : set.Remove(id);

    /// <summary>What a commit says of an object.</summary>
    private readonly record struct ObjectContent(ObjectKind Kind, long Size, RangeDigest Digest, long Bytes, bool HasDeleted);
}
