namespace Millrace.Streams.Wal.Media;

/// <summary>
/// Where ring WALs lie: files of a folder, or devices. It knows what the ring does not: how space is made and found, how everybody else is kept
/// from writing it, and how a copy is told from what was written.
/// </summary>
/// <remarks>
/// Threading: any thread. Errors: whatever its calls are refused with by the system (<see cref="IOException"/>, <see cref="UnauthorizedAccessException"/>);
/// what is wrong with a WAL itself is a <see cref="WalUnavailableException"/>.
/// </remarks>
public interface IWalMedium : IFormerSpaces
{
    WalKind Kind { get; }

    /// <summary>Where a new WAL will lie, for its descriptor: goes into the metadata, for finding it again.</summary>
    /// <param name="wal">Its id.</param>
    /// <param name="waiting">Those that wait for their recovery: their places are taken.</param>
    /// <exception cref="WalUnavailableException">They take all that there is.</exception>
    string Locate(Guid wal, IReadOnlyCollection<WalDescriptor> waiting);

    /// <summary>
    /// Makes space for a new WAL and holds it alone. It may hold the blocks and headers of an earlier life. A failure leaves nothing that takes room.
    /// </summary>
    /// <exception cref="WalUnavailableException">A living process holds it.</exception>
    ValueTask<IWalSpace> MakeAsync(WalDescriptor wal, CancellationToken token);

    /// <summary>Whether a retired WAL takes room that <see cref="MakeAsync"/> may lack.</summary>
    bool SharesRoomWith(WalDescriptor retired);

    /// <summary>Removes space whose making was cut short. What a living process is making stays.</summary>
    ValueTask RemoveUnfinishedAsync(CancellationToken token);

    /// <summary>Where WALs lie on it that are none of these.</summary>
    ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token);
}
