using System.Buffers.Binary;
using System.Text;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.Ring;

/// <summary>What a header slot says. Of two valid slots the one with the higher <see cref="SlotSequence"/> counts.</summary>
/// <remarks>
/// Layout, little-endian:
/// <code>
///   0  uint32  magic "MWH1"
///   4  uint16  format version
///   6  uint16  1 if sealed
///   8  uint32  CRC-32C of all other bytes up to 511
///  12  uint32  length of the identity
///  16  uuid    WAL id (big-endian)
///  32  int32   node             36  int32  zero
///  40  int64   node epoch
///  48  int64   slot sequence
///  56  int64   capacity of the medium
///  64  int64   trim: ring position of the oldest block that is kept
///  72  int64   trim: sequence of that block
///  80  int64   trim: position of the oldest append that is kept
///  88  int64   confirmed: sequence of the last block known durable, -1 if none
///  96  int64   sealed end: ring position behind the last block
/// 104  int64   sealed end: sequence behind the last block
/// 112  utf-8   identity of the space
/// 512  zeros
/// </code>
/// </remarks>
internal sealed record RingHeader
{
    public const int MaxIdentityBytes = 384;
    private const int Size = 512;
    private const uint Magic = 0x3148574D;

    public required Guid Id { get; init; }

    public required NodeId Node { get; init; }

    public required NodeEpoch Epoch { get; init; }

    public required long Capacity { get; init; }

    public required string Identity { get; init; }

    public long SlotSequence { get; init; }

    public long TrimRingPosition { get; init; }

    public long TrimSequence { get; init; }

    public long TrimAppend { get; init; }

    public long Confirmed { get; init; } = -1;

    public bool IsSealed { get; init; }

    public long EndRingPosition { get; init; }

    public long EndSequence { get; init; }

    public void Write(Span<byte> sector)
    {
        sector.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(sector, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[4..], RingFormat.Version);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[6..], IsSealed ? (ushort)1 : (ushort)0);
        var identityLength = Encoding.UTF8.GetBytes(Identity, sector.Slice(112, MaxIdentityBytes));
        BinaryPrimitives.WriteInt32LittleEndian(sector[12..], identityLength);
        Invariant.Check(Id.TryWriteBytes(sector[16..], bigEndian: true, out _));
        BinaryPrimitives.WriteInt32LittleEndian(sector[32..], Node.Value);
        BinaryPrimitives.WriteInt64LittleEndian(sector[40..], Epoch.Value);
        BinaryPrimitives.WriteInt64LittleEndian(sector[48..], SlotSequence);
        BinaryPrimitives.WriteInt64LittleEndian(sector[56..], Capacity);
        BinaryPrimitives.WriteInt64LittleEndian(sector[64..], TrimRingPosition);
        BinaryPrimitives.WriteInt64LittleEndian(sector[72..], TrimSequence);
        BinaryPrimitives.WriteInt64LittleEndian(sector[80..], TrimAppend);
        BinaryPrimitives.WriteInt64LittleEndian(sector[88..], Confirmed);
        BinaryPrimitives.WriteInt64LittleEndian(sector[96..], EndRingPosition);
        BinaryPrimitives.WriteInt64LittleEndian(sector[104..], EndSequence);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[8..], Checksum(sector));
    }

    /// <summary>The format of a header, whichever version wrote it; null if it is none.</summary>
    public static ushort? FormatOf(ReadOnlySpan<byte> sector) =>
        BinaryPrimitives.ReadUInt32LittleEndian(sector) == Magic ? BinaryPrimitives.ReadUInt16LittleEndian(sector[4..]) : null;

    /// <summary>Null if the sector holds no valid header of this version.</summary>
    public static RingHeader? TryRead(ReadOnlySpan<byte> sector)
    {
        var identityLength = BinaryPrimitives.ReadInt32LittleEndian(sector[12..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(sector) != Magic
            || BinaryPrimitives.ReadUInt16LittleEndian(sector[4..]) != RingFormat.Version
            || BinaryPrimitives.ReadUInt32LittleEndian(sector[8..]) != Checksum(sector)
            || identityLength is < 0 or > MaxIdentityBytes)
        {
            return null;
        }

        return new()
        {
            IsSealed = (BinaryPrimitives.ReadUInt16LittleEndian(sector[6..]) & 1) != 0,
            Id = new Guid(sector.Slice(16, 16), bigEndian: true),
            Node = new(BinaryPrimitives.ReadInt32LittleEndian(sector[32..])),
            Epoch = new(BinaryPrimitives.ReadInt64LittleEndian(sector[40..])),
            SlotSequence = BinaryPrimitives.ReadInt64LittleEndian(sector[48..]),
            Capacity = BinaryPrimitives.ReadInt64LittleEndian(sector[56..]),
            TrimRingPosition = BinaryPrimitives.ReadInt64LittleEndian(sector[64..]),
            TrimSequence = BinaryPrimitives.ReadInt64LittleEndian(sector[72..]),
            TrimAppend = BinaryPrimitives.ReadInt64LittleEndian(sector[80..]),
            Confirmed = BinaryPrimitives.ReadInt64LittleEndian(sector[88..]),
            EndRingPosition = BinaryPrimitives.ReadInt64LittleEndian(sector[96..]),
            EndSequence = BinaryPrimitives.ReadInt64LittleEndian(sector[104..]),
            Identity = Encoding.UTF8.GetString(sector.Slice(112, identityLength)),
        };
    }

    /// <summary>The newer of both slots, of one WAL or of any; null if none is valid. The slots may still hold those of an earlier life of the space.</summary>
    public static RingHeader? Newest(ReadOnlySpan<byte> slots, Guid? wal)
    {
        RingHeader? newest = null;
        for (var slot = 0; slot < RingFormat.HeaderSlots; slot++)
        {
            if (TryRead(slots.Slice(slot * RingFormat.Sector, RingFormat.Sector)) is { } header
                && (wal is null || header.Id == wal)
                && (newest is null || header.SlotSequence > newest.SlotSequence))
            {
                newest = header;
            }
        }

        return newest;
    }

    // Of everything but itself: the seal stands before it.
    private static uint Checksum(ReadOnlySpan<byte> sector) => Crc32C.Append(Crc32C.Of(sector[..8]), sector[12..Size]);
}
