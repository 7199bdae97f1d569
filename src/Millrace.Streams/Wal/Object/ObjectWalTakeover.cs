using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Streams.Wal.Object;

/// <summary>Ends the one term of an object WAL. Anybody may, any number of times: the first seal counts for all.</summary>
internal sealed class ObjectWalTakeover(ObjectLog log, WalDescriptor descriptor)
{
    /// <summary>Seals the log. Its end is found from a list of its objects: only the last few are looked at.</summary>
    /// <returns>Where its entries begin, the place of the seal behind them, and their lengths.</returns>
    /// <exception cref="WalUnavailableException">Acknowledged entries are missing or damaged.</exception>
    public async ValueTask<(LogStart Start, LogPlace Seal, IReadOnlyDictionary<LogPlace, long> Lengths)> SealAsync(CancellationToken token)
    {
        while (true)
        {
            var start = LogStart.Beginning(descriptor.Id) with { Next = await log.BoundaryAsync(token) };

            var listing = await log.ListAsync(start, token);

            // Headers tell all that sealing needs; the bodies are read when they are wanted.
            using var reader = log.ReadHeaders(listing.NearEnd, listing.Listed);
            try
            {
                var seal = await log.SealAsync(reader, default, _ => ValueTask.CompletedTask, token);
                return (start, seal.Place, listing.Lengths);
            }
            catch (ObjectLogException trimmed) when (trimmed.Error == ObjectLogError.Trimmed)
            {
                // Its writer lives and trims, or somebody else has recovered it: begin again where it begins now.
                token.ThrowIfCancellationRequested();
            }
            catch (ObjectLogException damage)
            {
                throw Unusable(descriptor, damage);
            }
        }
    }

    /// <summary>Seals the log if nobody has, and deletes what it holds. The seal and a marker stay, for a writer that wakes up late.</summary>
    public async ValueTask RetireAsync(CancellationToken token)
    {
        var (start, seal, _) = await SealAsync(token);
        await log.TrimAsync(seal, start with { Next = seal }, token);
    }

    public static WalUnavailableException Unusable(WalDescriptor descriptor, ObjectLogException damage) => new(
        descriptor,
        $"The WAL {descriptor.Location} of node {descriptor.Node} cannot be recovered: {damage.Message}. The bucket's objects below it have to be restored.",
        damage);
}
