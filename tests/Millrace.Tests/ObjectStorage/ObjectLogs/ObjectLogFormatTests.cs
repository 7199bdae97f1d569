using System.Buffers;
using CsCheck;
using Millrace.ObjectStorage.ObjectLogs;
using Xunit;

namespace Millrace.Tests.ObjectStorage.ObjectLogs;

public sealed class ObjectLogFormatTests
{
    private static readonly Guid PutId = new("00112233-4455-6677-8899-aabbccddeeff");
    private static readonly Guid After = new("ffeeddcc-bbaa-9988-7766-554433221100");

    [Fact]
    public void An_entry_has_these_bytes()
    {
        var body = LogBody.Entry(new LogPlace(3, 17), PutId, After, confirmed: 16, new ReadOnlySequence<byte>("hello"u8.ToArray()));
        Assert.Equal(
            "4D4C4F47 01010000 0300000000000000 1100000000000000 00112233445566778899AABBCCDDEEFF FFEEDDCCBBAA99887766554433221100 " +
            "1000000000000000 0500000000000000 4CBB719A 2F3327B6 68656C6C6F",
            Hex(body.Bytes.ToArray(), 4, 4, 8, 8, 16, 16, 8, 8, 4, 4, 5));
    }

    [Fact]
    public void A_marker_has_these_bytes() =>
        Assert.Equal(
            "4D54524D 01000000 0300000000000000 1100000000000000 00112233445566778899AABBCCDDEEFF 1B10A6A5",
            Hex(LogMarkerFormat.Write(new LogPlace(3, 17), PutId), 4, 4, 8, 8, 16, 4));

    [Fact]
    public void Objects_survive_the_round_trip() =>
        Gen.Select(Gen.Bool, Gen.Long[0, long.MaxValue], Gen.Long[0, long.MaxValue], Gen.Long[-1, long.MaxValue], Gen.Byte.Array[0, 300])
            .Sample((isSeal, term, index, confirmed, payload) =>
            {
                var place = new LogPlace(term, index);
                var sequence = new ReadOnlySequence<byte>(payload);
                var body = isSeal
                    ? LogBody.Seal(place, PutId, After, sequence)
                    : LogBody.Entry(place, PutId, After, confirmed, sequence);
                var read = LogObjectFormat.Read(body.Bytes.ToArray(), whole: true);
                Assert.NotNull(read);
                Assert.Equal((isSeal, place, PutId, After), (read.IsSeal, read.Place, read.PutId, read.After));
                Assert.Equal(isSeal ? -1 : confirmed, read.Confirmed);
                Assert.Equal(payload, read.Payload.ToArray());
            });

    [Fact]
    public void Any_changed_bit_is_noticed() =>
        Gen.Select(Gen.Byte.Array[0, 50], Gen.Int[0, int.MaxValue]).Sample((payload, at) =>
        {
            var entry = LogBody.Entry(new LogPlace(1, 2), PutId, After, 1, new ReadOnlySequence<byte>(payload)).Bytes.ToArray();
            entry[at % entry.Length] ^= (byte)(1 << (at & 7));
            Assert.Null(LogObjectFormat.Read(entry, whole: true));
            var marker = LogMarkerFormat.Write(new LogPlace(1, 2), PutId);
            marker[at % marker.Length] ^= (byte)(1 << (at & 7));
            Assert.Null(LogMarkerFormat.Read(marker));
        });

    [Fact]
    public void Keys_sort_as_places_and_markers_the_other_way_round() =>
        Gen.Select(Gen.Long[0, long.MaxValue], Gen.Long[0, long.MaxValue], Gen.Long[0, long.MaxValue], Gen.Long[0, long.MaxValue]).Sample((t1, i1, t2, i2) =>
        {
            var keys = new LogKeys("p/");
            LogPlace first = new(t1, i1), second = new(t2, i2);
            var order = Math.Sign(first.CompareTo(second));
            Assert.Equal(order, Math.Sign(string.CompareOrdinal(keys.Object(first), keys.Object(second))));
            Assert.Equal(-order, Math.Sign(string.CompareOrdinal(keys.Marker(first), keys.Marker(second))));
            Assert.Equal(first, keys.ObjectPlace(keys.Object(first)));
            Assert.Equal(first, keys.MarkerPlace(keys.Marker(first)));
        });

    private static string Hex(byte[] bytes, params int[] fields)
    {
        var at = 0;
        return string.Join(' ', fields.Select(size => Convert.ToHexString(bytes.AsSpan((at += size) - size, size))));
    }
}
