using Millrace.Runtime.Ids;

namespace Millrace.Streams.Verification;

/// <summary>What the metadata says a bucket holds, at one moment.</summary>
/// <param name="Streams">All streams.</param>
/// <param name="Pending">Objects that may be there without being part of a stream: prepared ones whose deadline has not passed, and those being
/// deleted.</param>
/// <param name="NextObject">The id that the next prepared object gets: objects from here on are younger than this inventory.</param>
public sealed record StoreInventory(IReadOnlyList<StreamInventory> Streams, IReadOnlySet<ObjectId> Pending, ObjectId NextObject);
