using Millrace.Metadata;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <summary>What the controller knows of a data object.</summary>
/// <param name="Id">The object.</param>
/// <param name="Phase">Where it is in its life.</param>
/// <param name="Owner">Who prepared it.</param>
/// <param name="Time">When it entered the phase, by the clock of the controller of that time: milliseconds since the Unix epoch.</param>
internal sealed record ObjectState(ObjectId Id, ObjectPhase Phase, NodeIncarnation Owner, long Time)
{
    /// <summary>Where it lies.</summary>
    public StoreId Store { get; init; } = StoreId.Own;

    public ObjectKind Kind { get; init; }

    /// <summary>Bytes; 0 before it is committed.</summary>
    public long Size { get; init; }

    /// <summary>The sum of the digests of all records that lie in it; nothing before it is committed.</summary>
    public RangeDigest Digest { get; init; }

    /// <summary>How many ranges and newest checkpoints of streams lie in it.</summary>
    public int References { get; init; }

    /// <summary>How many there were at most: what fewer are left is to be given back.</summary>
    public int MostReferences { get; init; }

    /// <summary>Payload bytes of everything that was written to it, whether or not it counts.</summary>
    public long Bytes { get; init; }

    /// <summary>Payload bytes of the ranges that lie in it. One of which a part is trimmed counts whole: nobody knows how much that part is.</summary>
    public long LiveBytes { get; init; }

    /// <summary>Some of what was written to it was of streams that are deleted.</summary>
    public bool HasDeleted { get; init; }

    public ObjectRecord ToRecord() =>
        new()
        {
            StoreId = Store.Value,
            ObjectId = Id.Value,
            State = (sbyte)Phase,
            Kind = (sbyte)Kind,
            Size = Size,
            DigestHigh = unchecked((long)Digest.High),
            DigestLow = unchecked((long)Digest.Low),
            NodeId = Owner.Node.Value,
            NodeEpoch = Owner.Epoch.Value,
            Time = Time,
            MostReferences = MostReferences,
            Bytes = Bytes,
            HasDeleted = HasDeleted,
        };

    public static ObjectState From(ObjectRecord record) =>
        new(
            new ObjectId(record.ObjectId),
            (ObjectPhase)record.State,
            new NodeIncarnation(new NodeId(record.NodeId), new NodeEpoch(record.NodeEpoch)),
            record.Time)
        {
            Store = new StoreId(record.StoreId),
            Kind = (ObjectKind)record.Kind,
            Size = record.Size,
            Digest = new RangeDigest(unchecked((ulong)record.DigestHigh), unchecked((ulong)record.DigestLow)),
            MostReferences = record.MostReferences,
            Bytes = record.Bytes,
            HasDeleted = record.HasDeleted,
        };
}
