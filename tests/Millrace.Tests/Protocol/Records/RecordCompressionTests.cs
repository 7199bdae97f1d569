using System.Buffers;
using CsCheck;
using Millrace.Protocol.Records;
using Millrace.Tests.Protocol.Conformance;
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
        var genCodec = Gen.Int[0, Compressing.Length - 1].Select(index => Compressing[index]);
        Gen.Select(genCodec, Gen.Byte.Array[1, 300], Gen.Int[0, 1000], Gen.Byte, Gen.Int[0, 1000]).Sample(
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
            (CompressionCodec.Gzip, DecompressionOutcome.Done),
            (CompressionCodec.Zstd, DecompressionOutcome.Done),
            (CompressionCodec.Lz4, DecompressionOutcome.Malformed),
        })
        {
            var part = Compress(codec, new byte[1000]);
            Assert.Equal(expected, Outcome(codec, [.. part, .. part]));
        }
    }

    /// <summary>
    /// Java looks for a member only if more than 26 bytes were read together with the end of the one before, in buffers of 8 KiB behind its first
    /// member's ten bytes of head.
    /// </summary>
    [Theory]
    [InlineData(8202 - 27, DecompressionOutcome.Done)]
    [InlineData(8202 - 26, DecompressionOutcome.Malformed)]
    [InlineData(8202 - 8, DecompressionOutcome.Malformed)]
    [InlineData(8202, DecompressionOutcome.Malformed)]
    [InlineData(8202 + 1, DecompressionOutcome.Done)]
    public void A_gzip_member_that_Java_would_not_see_is_malformed(int contentEnd, DecompressionOutcome expected)
    {
        const int trailer = 8;
        var overhead = Compress(CompressionCodec.Gzip, new byte[1000], 0).Length - 1000;
        var first = Compress(CompressionCodec.Gzip, new byte[contentEnd + trailer - overhead], 0);
        Assert.Equal(contentEnd + trailer, first.Length);
        Assert.Equal(expected, Outcome(CompressionCodec.Gzip, [.. first, .. Compress(CompressionCodec.Gzip, new byte[100])]));
    }

    [Fact]
    public void Of_the_flags_of_lz4_those_are_taken_that_Kafka_takes()
    {
        var plain = new byte[1000];
        for (var flags = 0; flags < 256; flags++)
        {
            // Version 1 and independent blocks; no dictionary, and the reserved bit is clear. Checksums and sizes may be there or not.
            var isTaken = (flags & 0b1110_0011) == 0b0110_0000;
            Assert.Equal(
                (flags, isTaken ? DecompressionOutcome.Done : DecompressionOutcome.Malformed),
                (flags, Outcome(CompressionCodec.Lz4, Lz4Frames.Frame(plain, (byte)flags, 4))));
        }
    }

    [Theory]
    [InlineData(27, 0, DecompressionOutcome.Done)]
    [InlineData(27, 1, DecompressionOutcome.Malformed)]
    [InlineData(28, 0, DecompressionOutcome.Malformed)]
    [InlineData(41, 7, DecompressionOutcome.Malformed)]
    public void A_zstd_frame_whose_window_is_too_large_for_Java_is_malformed(int exponent, int eighths, DecompressionOutcome expected) =>
        Assert.Equal(
            expected,
            Outcome(CompressionCodec.Zstd, [0x28, 0xb5, 0x2f, 0xfd, 0x00, (byte)(((exponent - 10) << 3) | eighths), 0x09, 0x00, 0x00, (byte)'a']));

    [Fact]
    public void Memory_that_runs_out_in_a_decoder_is_an_outcome_and_what_was_taken_goes_back()
    {
        var plain = new byte[1 << 20];
        foreach (var codec in Compressing)
        {
            var compressed = Compress(codec, plain);
            for (var left = 0; ; left++)
            {
                var arrays = new RunningOutArrays(left);
                var outcome = RecordCompression.Decompress(codec, compressed, plain.Length, arrays, out var records);
                records?.Dispose();
                Assert.Equal(0, arrays.Out);
                if (outcome == DecompressionOutcome.Done)
                {
                    Assert.InRange(left, 2, 30);
                    break;
                }

                Assert.Equal((codec, DecompressionOutcome.OutOfMemory), (codec, outcome));
            }
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

    /// <summary>Gives some arrays, and then has no memory. Counts those that are out.</summary>
    private sealed class RunningOutArrays(int left) : ArrayPool<byte>
    {
        private int _left = left;

        public int Out { get; private set; }

        public override byte[] Rent(int minimumLength)
        {
            if (_left-- == 0)
            {
                throw new InsufficientMemoryException();
            }

            Out++;
            return new byte[minimumLength];
        }

        public override void Return(byte[] array, bool clearArray = false) => Out--;
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
