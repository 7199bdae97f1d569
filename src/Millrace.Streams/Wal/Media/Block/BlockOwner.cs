using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>In whose name devices are written.</summary>
/// <param name="Cluster">The cluster's id.</param>
/// <param name="Incarnation">The node.</param>
public sealed record BlockOwner(string Cluster, NodeIncarnation Incarnation)
{
    private const int NodeBits = 24;
    private const int EpochBits = 32;
    private const ulong Mark = 0x4DUL << 56;

    /// <summary>The key of its reservations: <c>M</c>, 24 bits of the node's id, 32 of its epoch. Never 0, and no two incarnations' are alike.</summary>
    /// <exception cref="IOException">The node's id has no room in it.</exception>
    public ulong Key => KeyOf(Incarnation.Node, Incarnation.Epoch);

    /// <inheritdoc cref="Key"/>
    internal static ulong KeyOf(NodeId node, NodeEpoch epoch) => node.Value is >= 0 and < 1 << NodeBits && epoch.Value is >= 0 and < 1L << EpochBits
        ? Mark | ((ulong)node.Value << EpochBits) | (ulong)epoch.Value
        : throw new IOException($"node.id {node} is too large for a WAL on a block device: its reservations take ids below {1 << NodeBits}.");

    /// <summary>Whether a key is of the same node as another one, and of a later incarnation.</summary>
    internal static bool IsLaterOf(ulong key, ulong other) => AreOfOneNode(key, other) && (uint)key > (uint)other;

    /// <summary>Whether two keys are of one node, of whichever incarnations.</summary>
    internal static bool AreOfOneNode(ulong key, ulong other) => key >> EpochBits == other >> EpochBits;

    /// <summary>Whose key it is; null if it is none of Millrace's.</summary>
    internal static NodeIncarnation? Of(ulong key) => key >> 56 == Mark >> 56
        ? new NodeIncarnation(new NodeId((int)(key >> EpochBits) & ((1 << NodeBits) - 1)), new NodeEpoch((uint)key))
        : null;

    /// <summary>Whose key it is, in words.</summary>
    public static string Say(ulong key) => Of(key) is { } owner
        ? $"node {owner.Node}, epoch {owner.Epoch}"
        : $"key 0x{key:x}, which is none of Millrace's";
}
