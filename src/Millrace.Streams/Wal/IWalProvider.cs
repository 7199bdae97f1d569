using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal;

/// <summary>Makes a node's own WAL, and takes over those that former incarnations left.</summary>
public interface IWalProvider
{
    WalKind Kind { get; }

    /// <summary>Describes the WAL that <see cref="CreateAsync"/> will make, so that it is in the metadata before anything is written to it.</summary>
    WalDescriptor Describe(NodeId node, NodeEpoch epoch);

    /// <summary>
    /// Removes what the making of WALs has left that was cut short: none of it ever was a WAL, whoever's it was to be. Asks the medium alone, so that a
    /// start can begin with it: what it frees may be just what the store or a recovery lacks. What a living process is making stays.
    /// </summary>
    /// <exception cref="IOException">The medium refuses.</exception>
    ValueTask RemoveUnfinishedAsync(CancellationToken token);

    /// <summary>Makes an empty WAL, ready for appends. A failure leaves nothing that takes space, but for what <see cref="DiscardAsync"/> gives back.</summary>
    /// <exception cref="WalUnavailableException">The medium refuses; says what is needed, and what there is.</exception>
    ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token);

    /// <summary>
    /// Fences a former incarnation's WAL for good, finds its durable end and makes that durable too, before anything of it is
    /// shown. Repeatable after a crash at any point, until <see cref="IWalRecovery.CompleteAsync"/>.
    /// </summary>
    /// <exception cref="WalUnavailableException">It is missing, was replaced or copied, is held by a living process, or acknowledged bytes in it are
    /// bad.</exception>
    ValueTask<IWalRecovery> TakeOverAsync(WalDescriptor descriptor, CancellationToken token);

    /// <summary>
    /// Gives back what a retired WAL may still take, should the process that retired it have died before it did. Repeatable; a WAL that is
    /// not to be found takes nothing.
    /// </summary>
    /// <returns>False if a living process holds it: it stays for now.</returns>
    /// <exception cref="WalUnavailableException">The medium refuses.</exception>
    ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token);

    /// <summary>
    /// Where WALs lie, among those that this provider makes, that are none of these. They are not touched: another cluster's may lie in the same place,
    /// and what an operator gave up is his to delete.
    /// </summary>
    /// <exception cref="IOException">The medium refuses.</exception>
    ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token);
}
