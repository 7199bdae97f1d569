namespace Millrace.Streams.Registry;

/// <summary>All objects of one upload.</summary>
/// <param name="Node">Who uploaded.</param>
/// <param name="WalId">
/// Null for the node's own streams. For a recovery, the fenced WAL the records were read from: the ranges then belong to that
/// WAL's incarnation, and only those count that are in the node's share of it.
/// </param>
/// <param name="Ranges">Every range of every object; those of one stream in offset order.</param>
public sealed record UploadCommit(NodeIncarnation Node, Guid? WalId, IReadOnlyList<ObjectRange> Ranges)
{
    /// <summary>What closes where its ranges end, in the same step.</summary>
    public IReadOnlyList<StreamClose> Closes { get; init; } = [];

    /// <summary>In the same step an id is handed out for an object of the next upload.</summary>
    public bool PreparesNext { get; init; }
}
