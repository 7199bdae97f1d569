using CsCheck;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;
using Xunit;

namespace Millrace.Tests.Streams.Wal.Ring;

public sealed class WalFormatTests
{
    private static readonly Guid Id = new("00112233-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void A_block_header_keeps_its_bytes()
    {
        var header = new WalBlockHeader(0xDEADBEEF, Id, new(3), Sequence: 7, Confirmed: 5, RingPosition: 0x12000, FirstAppend: 42, Count: 2, BodyLength: 300);
        var bytes = new byte[WalBlockHeader.Size];
        header.Write(bytes);
        Assert.Equal(
            "4D57423101000000" + "85F92925" + "EFBEADDE" + "00112233445566778899AABBCCDDEEFF" + "0300000000000000" + "0700000000000000"
            + "0500000000000000" + "0020010000000000" + "2A00000000000000" + "02000000" + "2C010000",
            Convert.ToHexString(bytes));
        Assert.True(WalBlockHeader.TryRead(bytes, out var read));
        Assert.Equal(header, read);
        Assert.Equal(RingFormat.Sector, header.BlockLength);
    }

    [Fact]
    public void A_file_header_reads_back_and_no_flipped_bit_passes()
    {
        var header = new RingHeader
        {
            Id = Id,
            Node = new(9),
            Epoch = new(4),
            Capacity = 1 << 23,
            Identity = "4711:1700000000.000000001",
            SlotSequence = 12,
            TrimRingPosition = 8192,
            TrimSequence = 3,
            TrimAppend = 17,
            Confirmed = 8,
            IsSealed = true,
            EndRingPosition = 65536,
            EndSequence = 9,
        };
        var sector = new byte[RingFormat.Sector];
        header.Write(sector);
        Assert.Equal(header, RingHeader.TryRead(sector));
        Gen.Int[0, 511].Sample(place =>
        {
            var damaged = sector.ToArray();
            damaged[place] ^= 0x10;
            Assert.Null(RingHeader.TryRead(damaged));
        });
    }

    [Fact]
    public void Any_record_reads_back_and_a_cut_one_does_not()
    {
        Gen.Select(Gen.Long, Gen.Long, Gen.Long, Gen.Long, Gen.Byte.Array[0, 300]).Sample((stream, epoch, offset, count, payload) =>
        {
            var record = new StreamRecord(new(stream), new(epoch), offset, count, stream ^ offset, payload);
            var bytes = new byte[WalRecordFormat.SizeOf(record)];
            WalRecordFormat.WriteHeader(bytes, record);
            payload.CopyTo(bytes.AsSpan(WalRecordFormat.HeaderSize));

            ReadOnlyMemory<byte> rest = bytes;
            Assert.True(WalRecordFormat.TryRead(ref rest, out var read));
            Assert.True(rest.IsEmpty);
            Assert.Equal(record with { Payload = default }, read with { Payload = default });
            Assert.Equal(payload, read.Payload.ToArray());

            ReadOnlyMemory<byte> cut = bytes.AsMemory(0, bytes.Length - 1);
            Assert.False(WalRecordFormat.TryRead(ref cut, out _));
        });
    }
}
