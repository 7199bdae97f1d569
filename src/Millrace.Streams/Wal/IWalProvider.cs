using Millrace.Runtime;

namespace Millrace.Streams.Wal;

/// <summary>Makes a node's own WAL, and takes over those that former incarnations left.</summary>
public interface IWalProvider
{
    WalKind Kind { get; }

    /// <summary>Describes the WAL that <see cref="CreateAsync"/> will make, so that it is in the metadata before anything is written to it.</summary>
    WalDescriptor Describe(NodeId node, NodeEpoch epoch);

    /// <summary>Makes an empty WAL, ready for appends.</summary>
    ValueTask<IWriteAheadLog> CreateAsync(WalDescriptor descriptor, CancellationToken token);

    /// <summary>
    /// Fences a former incarnation's WAL for good, finds its durable end and makes that durable too, before anything of it is
    /// shown. Repeatable after a crash at any point, until <see cref="IWalRecovery.CompleteAsync"/>.
    /// </summary>
    /// <exception cref="WalUnavailableException">It is missing, was replaced or copied, is held by a living process, or acknowledged bytes in it are bad.</exception>
    ValueTask<IWalRecovery> TakeOverAsync(WalDescriptor descriptor, CancellationToken token);
}
