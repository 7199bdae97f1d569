using System.Buffers;
using CsCheck;
using Millrace.Protocol;
using Xunit;

namespace Millrace.Tests.Protocol.Records;

public sealed class RecordCompressionTests
{
    private static readonly CompressionCodec[] Compressing = [.. RecordGen.Codecs.Where(codec => codec != CompressionCodec.None)];

    [Fact]
    public void What_is_compressed_is_decompressed()
    {
        Gen.Select(Gen.Int[0, Compressing.Length - 1].Select(index => Compressing[index]), Gen.Byte.Array[1, 1000], Gen.Int[1, 200]).Sample(
            (codec, bytes, repeats) =>
            {
                var plain = Enumerable.Repeat(bytes, repeats).SelectMany(part => part).ToArray();
                Assert.Equal(DecompressionOutcome.Done, RecordCompression.Decompress(codec, Compress(codec, plain), plain.Length, out var records));
                using (records)
                {
                    Assert.True(records!.Span.SequenceEqual(plain));
                }
            },
            iter: 300);
    }

    [Fact]
    public void A_bomb_stops_at_the_limit()
    {
        var plain = new byte[64 << 20];
        foreach (var codec in Compressing)
        {
            var bomb = Compress(codec, plain);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Equal(DecompressionOutcome.TooLarge, RecordCompression.Decompress(codec, bomb, limit: 1 << 20, out var records));
            Assert.Null(records);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 16 << 20);
        }
    }

    [Fact]
    public void A_zstd_frame_that_claims_a_gigabyte_gets_no_gigabyte()
    {
        // Magic, one segment with a content size of eight bytes, 2^30, and one raw block of one byte.
        var liar = Convert.FromHexString("28B52FFD" + "E0" + "0000004000000000" + "090000" + "41");
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(DecompressionOutcome.Malformed, RecordCompression.Decompress(CompressionCodec.Zstd, liar, limit: 1 << 30, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void One_byte_more_than_the_limit_is_too_large()
    {
        foreach (var codec in Compressing)
        {
            var compressed = Compress(codec, new byte[100_000]);
            Assert.Equal(DecompressionOutcome.Done, RecordCompression.Decompress(codec, compressed, limit: 100_000, out var records));
            records!.Dispose();
            Assert.Equal(DecompressionOutcome.TooLarge, RecordCompression.Decompress(codec, compressed, limit: 99_999, out _));
        }
    }

    [Fact]
    public void Mutated_and_cut_input_never_throws_and_never_exceeds_the_limit()
    {
        Gen.Select(Gen.Int[0, Compressing.Length - 1].Select(index => Compressing[index]), Gen.Byte.Array[1, 300], Gen.Int[0, 1000], Gen.Byte, Gen.Int[0, 1000]).Sample(
            (codec, plain, position, value, cut) =>
            {
                var compressed = Compress(codec, plain);
                compressed[position % compressed.Length] = value;
                var part = compressed.AsMemory(0, Math.Max(0, compressed.Length - (cut % 20)));
                if (RecordCompression.Decompress(codec, part, limit: 100_000, out var records) == DecompressionOutcome.Done)
                {
                    Assert.InRange(records!.Length, 0, 100_000);
                    records.Dispose();
                }
            },
            iter: 5000);
    }

    [Fact]
    public void Random_input_never_throws()
    {
        Gen.Select(Gen.Int[0, Compressing.Length - 1].Select(index => Compressing[index]), Gen.Byte.Array[0, 100]).Sample(
            (codec, bytes) =>
            {
                if (RecordCompression.Decompress(codec, bytes, limit: 100_000, out var records) == DecompressionOutcome.Done)
                {
                    Assert.InRange(records!.Length, 0, 100_000);
                    records.Dispose();
                }
            },
            iter: 5000);
    }

    [Fact]
    public void A_bare_snappy_block_is_understood()
    {
        var plain = new byte[1000];
        plain[3] = 7;
        var block = Snappier.Snappy.CompressToArray(plain);
        Assert.Equal(DecompressionOutcome.Done, RecordCompression.Decompress(CompressionCodec.Snappy, block, limit: 1000, out var records));
        using (records)
        {
            Assert.True(records!.Span.SequenceEqual(plain));
        }
    }

    [Fact]
    public void A_payload_that_is_cut_or_goes_on_is_malformed()
    {
        foreach (var codec in Compressing)
        {
            var whole = Compress(codec, [.. Enumerable.Range(0, 1000).Select(i => (byte)(i / 7))]);
            for (var cut = 1; cut <= 12; cut++)
            {
                Assert.Equal(DecompressionOutcome.Malformed, Outcome(codec, whole[..^cut]));
            }

            for (var more = 1; more <= 12; more++)
            {
                Assert.Equal(DecompressionOutcome.Malformed, Outcome(codec, [.. whole, .. new byte[more]]));
            }
        }
    }

    [Fact]
    public void A_bare_snappy_block_that_goes_on_is_malformed() =>
        Assert.Equal(DecompressionOutcome.Malformed, Outcome(CompressionCodec.Snappy, [.. Snappier.Snappy.CompressToArray(new byte[1000]), 0]));

    [Fact]
    public void Two_frames_are_taken_where_Kafka_takes_them()
    {
        foreach (var (codec, expected) in new[]
        {
            (CompressionCodec.Gzip, DecompressionOutcome.Done), (CompressionCodec.Zstd, DecompressionOutcome.Done), (CompressionCodec.Lz4, DecompressionOutcome.Malformed),
        })
        {
            var part = Compress(codec, new byte[1000]);
            Assert.Equal(expected, Outcome(codec, [.. part, .. part]));
        }
    }

    [Theory]
    [InlineData(CompressionCodec.Gzip, -1, 0, 1, 9)]
    [InlineData(CompressionCodec.Lz4, 9, 1, 4, 17)]
    [InlineData(CompressionCodec.Zstd, 3, -131_072, 1, 22, 19)]
    public void Every_level_can_be_read_and_a_high_one_takes_less_room(CompressionCodec codec, int usual, params int[] others)
    {
        var random = new Random(7);
        var words = Enumerable.Range(0, 300).Select(_ => new string([.. Enumerable.Range(0, 9).Select(_ => (char)random.Next('a', 'z'))])).ToArray();
        var plain = System.Text.Encoding.ASCII.GetBytes(string.Join(' ', Enumerable.Range(0, 20_000).Select(_ => words[random.Next(words.Length)])));
        var sizes = others.Append(usual).Select(level =>
        {
            var compressed = Compress(codec, plain, level);
            Assert.Equal(DecompressionOutcome.Done, RecordCompression.Decompress(codec, compressed, plain.Length, out var records));
            using (records)
            {
                Assert.True(records!.Span.SequenceEqual(plain));
            }

            return compressed.Length;
        }).ToArray();

        Assert.True(sizes[others.Length - 1] < sizes[0], string.Join(", ", sizes));
    }

    private static DecompressionOutcome Outcome(CompressionCodec codec, byte[] compressed)
    {
        var outcome = RecordCompression.Decompress(codec, compressed, limit: 1 << 20, out var records);
        records?.Dispose();
        return outcome;
    }

    private static byte[] Compress(CompressionCodec codec, byte[] plain, int? level = null)
    {
        var output = new ArrayBufferWriter<byte>();
        RecordCompression.Compress(codec, level, plain, output);
        return output.WrittenSpan.ToArray();
    }
}
