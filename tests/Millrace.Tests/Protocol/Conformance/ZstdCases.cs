using Millrace.Protocol.Records;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>Zstandard frames of several kinds, some written by hand from stored blocks.</summary>
internal static class ZstdCases
{
    private static readonly byte[] Skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];

    public static (string Kind, byte[] Payload) Make(Random random, byte[] records)
    {
        var (first, second) = CodecLayer.Split(random, records);
        switch (random.Next(11))
        {
            case 0: return ("two frames", [.. Ours(first), .. Ours(second)]);
            case 1: return ("skippable first", [.. Skippable, .. Ours(records)]);
            case 2: return ("skippable last", [.. Ours(records), .. Skippable]);
            case 3: return ("skippable between", [.. Ours(first), .. Skippable, .. Ours(second)]);
            case 4: return ("checksum", WithChecksum(records));
            case 5: return ("frame without content", [.. Ours([]), .. Ours(records)]);
            case 6:
                var window = (byte)random.Next(256);
                return ($"window {10 + (window >> 3)}", [0x28, 0xb5, 0x2f, 0xfd, 0x00, window, .. Stored(records, 1024)]);
            case 7: return ("dictionary", [0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x58, (byte)random.Next(2), .. Stored(records, 1024)]);
            case 8:
                var size = BitConverter.GetBytes(records.Length + random.Next(-2, 3));
                return ("content size wrong", [0x28, 0xb5, 0x2f, 0xfd, 0xa0, .. size, .. Stored(records, 1024)]);
            default:
                var level = random.Next(1, 20);
                return ($"level {level}", CodecLayer.Ours(CompressionCodec.Zstd, level, records));
        }
    }

    private static byte[] Ours(byte[] records) => CodecLayer.Ours(CompressionCodec.Zstd, 3, records);

    public static byte[] WithChecksum(byte[] records)
    {
        using var compressor = new ZstdSharp.Compressor(3);
        compressor.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_checksumFlag, 1);
        return compressor.Wrap(records).ToArray();
    }

    private static byte[] Stored(byte[] records, int size)
    {
        var output = new List<byte>();
        var parts = records.Chunk(size).DefaultIfEmpty([]).ToArray();
        for (var i = 0; i < parts.Length; i++)
        {
            var header = (parts[i].Length << 3) | (i == parts.Length - 1 ? 1 : 0);
            output.AddRange([(byte)header, (byte)(header >> 8), (byte)(header >> 16), .. parts[i]]);
        }

        return [.. output];
    }
}
