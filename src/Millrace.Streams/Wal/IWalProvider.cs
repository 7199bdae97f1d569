using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal;

/// <summary>Makes a node's own WAL, and takes over those of its kind that former incarnations left.</summary>
public interface IWalProvider : IWalTakeover
{
    WalKind Kind { get; }

    /// <summary>Describes the WAL that <see cref="CreateAsync"/> will make, so that it is in the metadata before anything is written to it.</summary>
    /// <param name="node">That will write it.</param>
    /// <param name="epoch">Its incarnation.</param>
    /// <param name="waiting">The WALs that wait for their recovery: where they lie, no other is made.</param>
    /// <exception cref="WalUnavailableException">There is no room beside them.</exception>
    WalDescriptor Describe(NodeId node, NodeEpoch epoch, IReadOnlyCollection<WalDescriptor> waiting);

    /// <summary>
    /// Removes what the making of WALs has left that was cut short: none of it ever was a WAL, whoever's it was to be. Asks the medium alone, so that a
    /// start can begin with it: what it frees may be just what the store or a recovery lacks. What a living process is making stays.
    /// </summary>
    /// <exception cref="IOException">The medium refuses.</exception>
    ValueTask RemoveUnfinishedAsync(CancellationToken token);

    /// <summary>
    /// Makes an empty WAL, ready for appends. A failure leaves nothing that takes space, but for what <see cref="IWalTakeover.DiscardAsync"/> gives back.
    /// </summary>
    /// <exception cref="WalUnavailableException">The medium refuses; says what is needed, and what there is.</exception>
    /// <exception cref="StreamException">Fenced: a later incarnation of the node has a WAL there already.</exception>
    ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token);

    /// <summary>
    /// Whether a retired WAL takes room that the next one may need: then it is given back first, since there may be room for one only.
    /// </summary>
    bool SharesRoomWith(WalDescriptor retired);

    /// <summary>
    /// Where WALs lie, among those that this provider makes, that are none of these. They are not touched: another cluster's may lie in the same place,
    /// and what an operator gave up is his to delete.
    /// </summary>
    /// <exception cref="IOException">The medium refuses.</exception>
    ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token);
}
