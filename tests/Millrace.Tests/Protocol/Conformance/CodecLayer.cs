using System.Buffers;
using System.IO.Compression;
using Millrace.Protocol.Records;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>A codec's payload for some records, as different encoders write it.</summary>
internal static class CodecLayer
{
    private static readonly byte[] EmptyMember = Convert.FromHexString("1f8b08000000000000030300" + "0000000000000000");

    /// <summary>What stands before xerial's blocks: a magic and two versions.</summary>
    public static byte[] SnappyHeader => [0x82, .. "SNAPPY"u8, 0, 0, 0, 0, 1, 0, 0, 0, 1];

    public static (CompressionCodec Codec, byte[] Payload) Make(Random random, byte[] records, List<string> names)
    {
        var codec = (CompressionCodec)(random.Next(9) switch { 0 => 0, var n => 1 + (n % 4) });
        var (kind, payload) = codec switch
        {
            CompressionCodec.None => ("", records),
            CompressionCodec.Gzip => Gzip(random, records),
            CompressionCodec.Snappy => Snappy(random, records),
            CompressionCodec.Lz4 => Lz4Frames.Make(random, records),
            _ => ZstdCases.Make(random, records),
        };
        names.Insert(0, $"{codec}{(kind.Length > 0 ? " " + kind : "")}");
        return (codec, payload);
    }

    public static byte[] Ours(CompressionCodec codec, int? level, byte[] records)
    {
        var output = new ArrayBufferWriter<byte>();
        RecordCompression.Compress(codec, level, records, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Two parts at a random place; the second may be empty.</summary>
    public static (byte[] First, byte[] Second) Split(Random random, byte[] records)
    {
        var at = random.Next(records.Length + 1);
        return (records[..at], records[at..]);
    }

    private static (string Kind, byte[] Payload) Gzip(Random random, byte[] records)
    {
        var level = random.Next(4) switch { 0 => 0, 1 => 1, 2 => 6, _ => 9 };
        var member = Ours(CompressionCodec.Gzip, level, records);
        var (first, second) = Split(random, records);
        switch (random.Next(8))
        {
            case 0:
                return ("two members", [.. Ours(CompressionCodec.Gzip, level, first), .. Ours(CompressionCodec.Gzip, 6, second)]);
            case 1:
                return ("many members", [.. records.Chunk(Math.Max(1, records.Length / 5)).SelectMany(part => Ours(CompressionCodec.Gzip, 0, part))]);
            case 2:
                return ("member without content", [.. member, .. EmptyMember]);
            case 3:
                var flags = (byte)(1 << random.Next(8));
                byte[] head = [.. member.AsSpan(0, 3), flags, .. member.AsSpan(4, 6)];
                byte[] extra = flags switch
                {
                    0x02 => [.. BitConverter.GetBytes((ushort)System.IO.Hashing.Crc32.HashToUInt32(head))],
                    0x04 => [2, 0, 7, 7],
                    0x08 or 0x10 => [(byte)'n', 0],
                    _ => [],
                };
                return ($"flag {flags:x2}", [.. head, .. extra, .. member.AsSpan(10)]);
            case 4:
                using (var target = new MemoryStream())
                {
                    using (var stream = new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true))
                    {
                        foreach (var part in records.Chunk(50))
                        {
                            stream.Write(part);
                            stream.Flush();
                        }
                    }

                    return ("flushed often", target.ToArray());
                }

            default:
                return ($"level {level}", member);
        }
    }

    private static (string Kind, byte[] Payload) Snappy(Random random, byte[] records)
    {
        var whole = Ours(CompressionCodec.Snappy, null, records);
        var header = SnappyHeader;
        switch (random.Next(8))
        {
            case 0:
                return ("bare", Snappier.Snappy.CompressToArray(records));
            case 1:
                return ("small blocks", [.. header, .. records.Chunk(random.Next(1, 64)).SelectMany(SnappyBlock)]);
            case 2:
                return ("empty block", [.. header, .. SnappyBlock([]), .. SnappyBlock(records)]);
            case 3:
                return ("block of no bytes", [.. whole, 0, 0, 0, 0]);
            case 4:
                header[11] = (byte)random.Next(4);
                header[15] = (byte)random.Next(4);
                return ($"version {header[11]} {header[15]}", [.. header, .. SnappyBlock(records)]);
            case 5:
                var (first, second) = Split(random, records);
                return ("two streams", [.. header, .. SnappyBlock(first), .. header, .. SnappyBlock(second)]);
            default:
                return ("", whole);
        }
    }

    public static byte[] SnappyBlock(byte[] part)
    {
        var block = Snappier.Snappy.CompressToArray(part);
        return [(byte)(block.Length >> 24), (byte)(block.Length >> 16), (byte)(block.Length >> 8), (byte)block.Length, .. block];
    }
}
