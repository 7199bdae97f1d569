using System.Text;
using Millrace.Protocol.Records;
using Millrace.Tests.Protocol.Conformance;

namespace Millrace.Tests.Clients;

/// <summary>
/// Batches that no usual encoder writes, and that are taken nevertheless because Kafka takes them. Each holds three records, whose
/// values are the case's name and a letter.
/// </summary>
internal static class OddBatches
{
    private const byte Name = 0x08;
    private const int LargeValue = 100_000;
    private static readonly byte[] Skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];

    public static IReadOnlyDictionary<string, byte[]> All { get; } = Make();

    /// <summary>An ordinary batch to follow one of them: a consumer that comes by reads it.</summary>
    public static byte[] Following(string name) => Batch(name, CompressionCodec.None, records => records, "after");

    private static SortedDictionary<string, byte[]> Make()
    {
        var all = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        void Add(CompressionCodec codec, string name, Func<byte[], byte[]> encode) => all.Add(name, Batch(name, codec, encode, "a", "b", "c"));

        Add(CompressionCodec.Gzip, "gzip-two-members", records => [.. Gzip(records[..Half(records)]), .. Gzip(records[Half(records)..])]);
        Add(CompressionCodec.Gzip, "gzip-member-a-record", records => [.. Gzip(records[..RecordSize(records)]), .. Gzip(records[RecordSize(records)..])]);
        Add(CompressionCodec.Gzip, "gzip-empty-member-first", records => [.. Gzip([]), .. Gzip(records)]);
        Add(CompressionCodec.Gzip, "gzip-empty-member-last", records => [.. Gzip(records), .. Gzip([])]);
        Add(
            CompressionCodec.Gzip,
            "gzip-with-a-name",
            records => Gzip(records) is var member ? [.. member[..3], Name, .. member[4..10], (byte)'n', 0, .. member[10..]] : []);

        Add(CompressionCodec.Zstd, "zstd-two-frames", records => [.. Zstd(records[..Half(records)]), .. Zstd(records[Half(records)..])]);
        Add(CompressionCodec.Zstd, "zstd-frame-a-record", records => [.. Zstd(records[..RecordSize(records)]), .. Zstd(records[RecordSize(records)..])]);
        Add(CompressionCodec.Zstd, "zstd-empty-frame-first", records => [.. Zstd([]), .. Zstd(records)]);
        Add(CompressionCodec.Zstd, "zstd-empty-frame-last", records => [.. Zstd(records), .. Zstd([])]);
        Add(CompressionCodec.Zstd, "zstd-skippable-first", records => [.. Skippable, .. Zstd(records)]);
        Add(CompressionCodec.Zstd, "zstd-skippable-between", records => [.. Zstd(records[..Half(records)]), .. Skippable, .. Zstd(records[Half(records)..])]);
        Add(CompressionCodec.Zstd, "zstd-skippable-last", records => [.. Zstd(records), .. Skippable]);
        Add(CompressionCodec.Zstd, "zstd-checksum", ZstdCases.WithChecksum);
        all.Add(
            "zstd-skippable-before-much",
            Batch("zstd-skippable-before-much", CompressionCodec.Zstd, records => [.. Skippable, .. Zstd(records)], "a", "b", new string('c', LargeValue)));

        Add(CompressionCodec.Lz4, "lz4-content-size", records => Lz4Frames.Frame(records, Lz4Frames.Plain | 0x08, 4));
        Add(CompressionCodec.Lz4, "lz4-content-checksum", records => Lz4Frames.Frame(records, Lz4Frames.Plain | 0x04, 5));
        Add(CompressionCodec.Lz4, "lz4-block-checksums", records => Lz4Frames.Frame(records, Lz4Frames.Plain | 0x10, 6));
        Add(CompressionCodec.Lz4, "lz4-stored-blocks", records => Lz4Frames.Frame(records, Lz4Frames.Plain, 7, stored: true));
        Add(CompressionCodec.Lz4, "lz4-all-checks", records => Lz4Frames.Frame(records, Lz4Frames.Plain | 0x1c, 4, stored: true));

        Add(CompressionCodec.Snappy, "snappy-bare", records => Snappier.Snappy.CompressToArray(records));
        Add(CompressionCodec.Snappy, "snappy-small-blocks", records => [.. CodecLayer.SnappyHeader, .. records.Chunk(7).SelectMany(CodecLayer.SnappyBlock)]);
        Add(
            CompressionCodec.Snappy,
            "snappy-empty-block-first",
            records => [.. CodecLayer.SnappyHeader, .. CodecLayer.SnappyBlock([]), .. CodecLayer.SnappyBlock(records)]);
        Add(
            CompressionCodec.Snappy,
            "snappy-empty-block-last",
            records => [.. CodecLayer.SnappyHeader, .. CodecLayer.SnappyBlock(records), .. CodecLayer.SnappyBlock([])]);

        all.Add("header-key-no-utf8", WithHeader("header-key-no-utf8"));
        all.Add("times-before-1970", Batch("times-before-1970", CompressionCodec.None, records => records, -86_400_000, "a", "b", "c"));
        return all;
    }

    private static byte[] WithHeader(string name)
    {
        var plain = Batch(name, CompressionCodec.None, records => records, "a", "b", "c");
        var records = plain[RecordBatchHeader.Size..];
        var size = RecordSize(records);

        // The first record, whose length is one byte, ends with the number of its headers: none. It gets one, with a key of two bytes.
        byte[] first = [(byte)(records[0] + (2 * 4)), .. records[1..(size - 1)], 1 << 1, 2 << 1, 0xff, 0xfe, 1];
        return Assemble(plain, CompressionCodec.None, [.. first, .. records[size..]]);
    }

    private static byte[] Batch(string name, CompressionCodec codec, Func<byte[], byte[]> encode, params string[] values) =>
        Batch(name, codec, encode, 1_700_000_000_000, values);

    private static byte[] Batch(string name, CompressionCodec codec, Func<byte[], byte[]> encode, long timestamp, params string[] values)
    {
        var builder = new RecordBatchBuilder();
        foreach (var value in values)
        {
            builder.Append(timestamp, default, Encoding.UTF8.GetBytes($"{name}:{value}"));
        }

        var plain = builder.Build();
        return Assemble(plain, codec, encode(plain[RecordBatchHeader.Size..]));
    }

    private static byte[] Assemble(byte[] plain, CompressionCodec codec, byte[] payload)
    {
        RecordBatchHeader.TryRead(plain, out var header);
        return BatchCases.Assemble(
            header with { Attributes = (short)codec, Length = RecordBatchHeader.Size - RecordBatchHeader.LengthOverhead + payload.Length }, payload);
    }

    private static int Half(byte[] records) => records.Length / 2;

    /// <summary>Of the first record, whose length is one zigzag byte.</summary>
    private static int RecordSize(byte[] records) => 1 + (records[0] >> 1);

    private static byte[] Gzip(byte[] records) => CodecLayer.Ours(CompressionCodec.Gzip, 6, records);

    private static byte[] Zstd(byte[] records) => CodecLayer.Ours(CompressionCodec.Zstd, 3, records);
}
