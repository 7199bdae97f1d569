using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Streams.Wal;

/// <summary>Who can fence a WAL and read it, by its kind: a medium that several nodes reach has its line here.</summary>
public static class WalReach
{
    /// <summary>Any node can; else the node that wrote it, when it comes again, and those that reach the device on which it lies.</summary>
    public static bool IsOfAll(this WalKind kind) => kind is WalKind.Object;

    /// <summary>Whether a node that is not its writer can have a WAL.</summary>
    /// <param name="kind">The WAL's.</param>
    /// <param name="location">The WAL's, as its descriptor says it.</param>
    /// <param name="devices">What the node reaches, as <see cref="Media.Block.BlockDevices"/> names it.</param>
    public static bool IsReachedBy(this WalKind kind, string location, IReadOnlyList<string> devices) => kind switch
    {
        WalKind.Object => true,
        WalKind.Block => BlockLayout.TryParse(location) is { } place && devices.Contains(place.Reach),
        WalKind.File or WalKind.Memory => false,
    };
}
