using System.Buffers.Binary;
using System.Text;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>The first sector of a device that holds WALs: says that it does, and whose they are. Written once, when the device is first used.</summary>
/// <remarks>
/// Layout, little-endian:
/// <code>
///   0  uint32  magic "MWD1"
///   4  uint16  format version        6  uint16  zero
///   8  uint32  CRC-32C of all other bytes up to 511
///  12  uint32  length of the identity
///  16  uuid    id of the label (big-endian)
///  32  int32   node                 36  int32  length of the cluster's id
///  40  int64   bytes of the device that are used
///  48  utf-8   cluster
/// 112  utf-8   identity of the device
/// 512  zeros
/// </code>
/// </remarks>
internal sealed record BlockLabel(Guid Id, string Cluster, NodeId Node, long Capacity, string Identity)
{
    public const int Sector = 4096;
    public const ushort Version = 1;
    private const int Size = 512;
    private const int ClusterAt = 48;
    private const int IdentityAt = 112;
    private const uint Magic = 0x3144574D;

    public void Write(Span<byte> sector)
    {
        sector.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(sector, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[4..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(sector[12..], Encoding.UTF8.GetBytes(Identity, sector[IdentityAt..Size]));
        Invariant.Check(Id.TryWriteBytes(sector[16..], bigEndian: true, out _));
        BinaryPrimitives.WriteInt32LittleEndian(sector[32..], Node.Value);
        BinaryPrimitives.WriteInt32LittleEndian(sector[36..], Encoding.UTF8.GetBytes(Cluster, sector[ClusterAt..IdentityAt]));
        BinaryPrimitives.WriteInt64LittleEndian(sector[40..], Capacity);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[8..], Checksum(sector));
    }

    /// <summary>The format of a label, whichever version wrote it; null if it is none.</summary>
    public static ushort? FormatOf(ReadOnlySpan<byte> sector) =>
        BinaryPrimitives.ReadUInt32LittleEndian(sector) == Magic ? BinaryPrimitives.ReadUInt16LittleEndian(sector[4..]) : null;

    /// <summary>Null if the sector holds no whole label of this version.</summary>
    public static BlockLabel? TryRead(ReadOnlySpan<byte> sector)
    {
        var identityLength = BinaryPrimitives.ReadInt32LittleEndian(sector[12..]);
        var clusterLength = BinaryPrimitives.ReadInt32LittleEndian(sector[36..]);
        return FormatOf(sector) != Version
            || BinaryPrimitives.ReadUInt32LittleEndian(sector[8..]) != Checksum(sector)
            || identityLength is < 0 or > Size - IdentityAt
            || clusterLength is < 0 or > IdentityAt - ClusterAt
            ? null
            : new BlockLabel(
                new Guid(sector.Slice(16, 16), bigEndian: true),
                Encoding.UTF8.GetString(sector.Slice(ClusterAt, clusterLength)),
                new NodeId(BinaryPrimitives.ReadInt32LittleEndian(sector[32..])),
                BinaryPrimitives.ReadInt64LittleEndian(sector[40..]),
                Encoding.UTF8.GetString(sector.Slice(IdentityAt, identityLength)));
    }

    private static uint Checksum(ReadOnlySpan<byte> sector) => Crc32C.Append(Crc32C.Of(sector[..8]), sector[12..Size]);
}
