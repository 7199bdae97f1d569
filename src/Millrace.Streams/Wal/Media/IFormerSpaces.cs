namespace Millrace.Streams.Wal.Media;

/// <summary>Where the ring WALs of former incarnations lie, as the metadata says; whether any new ones are made there or not.</summary>
/// <remarks>Threading and errors: those of <see cref="IWalMedium"/>.</remarks>
public interface IFormerSpaces
{
    /// <summary>
    /// Opens the space of a former incarnation's WAL and fences everybody else: nothing that another process writes reaches it from when this
    /// returns, though it was sent off before.
    /// </summary>
    /// <exception cref="WalUnavailableException">It is missing, or cannot be fenced: a living process holds it.</exception>
    ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token);

    /// <summary>Whether others may take a space over at the same time, and read it without holding it.</summary>
    bool AreShared => false;

    /// <summary>
    /// Opens the space of a former incarnation's WAL for reading alone, past whoever writes it. Null where they are not shared.
    /// </summary>
    /// <exception cref="WalUnavailableException">It is missing.</exception>
    ValueTask<IWalSpace?> TryOpenToReadAsync(WalDescriptor wal, CancellationToken token) => new((IWalSpace?)null);

    /// <summary>
    /// How long whoever has taken a writer's place before this node is left to seal the WAL; zero where nobody has who lives. If it were taken from that one,
    /// that one would begin anew and take it back, and neither might come to an end.
    /// </summary>
    ValueTask<TimeSpan> GetPatienceAsync(WalDescriptor wal, CancellationToken token) => new(TimeSpan.Zero);

    /// <summary>Gives back what a retired WAL still takes. Repeatable.</summary>
    /// <returns>False if a living process holds it: it stays for now.</returns>
    ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token);
}
