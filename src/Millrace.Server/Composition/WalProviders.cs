using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Server.Composition;

/// <summary>The WALs as one incarnation meets them.</summary>
/// <param name="Own">Makes its WAL.</param>
/// <param name="Former">Takes over WALs of a kind that former incarnations left; null for a kind that cannot be.</param>
internal sealed record WalProviders(IWalProvider Own, Func<WalKind, IWalTakeover?> Former)
{
    /// <summary>The devices that the node reaches; null where it has none.</summary>
    public BlockDevices? Devices { get; init; }
}
