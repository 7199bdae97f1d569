namespace Millrace.Streams.Wal;

/// <summary>Takes over the WALs of one kind that former incarnations left.</summary>
/// <remarks>Threading: any thread.</remarks>
public interface IWalTakeover
{
    /// <summary>
    /// Fences a former incarnation's WAL for good, finds its durable end and makes that durable too, before anything of it is
    /// shown. Repeatable after a crash at any point, until <see cref="ISealedWal.CompleteAsync"/>.
    /// </summary>
    /// <exception cref="WalUnavailableException">It is missing, was replaced or copied, is held by a living process, or acknowledged bytes in it are
    /// bad.</exception>
    ValueTask<ISealedWal> TakeOverAsync(WalDescriptor descriptor, CancellationToken token);

    /// <summary>
    /// Gives back what a retired WAL may still take, should the process that retired it have died before it did. Repeatable; a WAL that is
    /// not to be found takes nothing.
    /// </summary>
    /// <returns>False if a living process holds it: it stays for now.</returns>
    /// <exception cref="WalUnavailableException">The medium refuses.</exception>
    ValueTask<bool> DiscardAsync(WalDescriptor descriptor, CancellationToken token);
}
