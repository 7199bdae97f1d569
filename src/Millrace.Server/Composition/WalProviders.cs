using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Server.Composition;

/// <summary>The WALs as one incarnation meets them.</summary>
/// <param name="Own">Make its WALs, one of a kind: its default, then those that topics may ask for.</param>
/// <param name="Former">Takes over WALs of a kind that former incarnations left; null for a kind that cannot be.</param>
internal sealed record WalProviders(IReadOnlyList<IWalProvider> Own, Func<WalKind, IWalTakeover?> Former)
{
    /// <summary>The devices that the node reaches; null where it has none.</summary>
    public BlockDevices? Devices { get; init; }
}
