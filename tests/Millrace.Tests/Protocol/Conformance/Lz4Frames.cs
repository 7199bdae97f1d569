using System.Buffers.Binary;
using System.IO.Hashing;
using K4os.Compression.LZ4;
using Millrace.Protocol.Records;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>LZ4 frames written by hand, with every flag, and what Kafka's decoder does not take.</summary>
internal static class Lz4Frames
{
    /// <summary>Version 1, independent blocks, no checks.</summary>
    public const byte Plain = 0x60;

    public static (string Kind, byte[] Payload) Make(Random random, byte[] records)
    {
        var code = random.Next(4, 8);
        var (first, second) = CodecLayer.Split(random, records);
        switch (random.Next(14))
        {
            case 0: return ("two frames", [.. Frame(first, Plain, code), .. Frame(second, Plain, code)]);
            case 1: return ("skippable first", [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2, .. Frame(records, Plain, code)]);
            case 2: return ("skippable last", [.. Frame(records, Plain, code), 0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
            case 3: return ("legacy", [0x02, 0x21, 0x4c, 0x18, .. Block(records, stored: false)]);
            case 4: return ("no end mark", Frame(records, Plain, code)[..^4]);
            case 5: return ("content size", Frame(records, Plain | 0x08, code));
            case 6: return ("content size wrong", Frame(records, Plain | 0x08, code, contentSize: records.Length + random.Next(-3, 4)));
            case 7: return ("content checksum", Frame(records, Plain | 0x04, code));
            case 8: return ("block checksums", Frame(records, Plain | 0x10, code, stored: random.Next(2) == 0));
            case 9: return ("flags", Frame(records, (byte)random.Next(256), code));
            case 10: return ("descriptor", Frame(records, Plain, random.Next(16)));
            case 11: return ("stored", Frame(records, Plain, code, stored: true));
            case 12: return ("all checks", Frame(records, Plain | 0x1c, code));
            default:
                int? level = random.Next(3) == 0 ? null : random.Next(1, 18);
                return ($"level {level}", CodecLayer.Ours(CompressionCodec.Lz4, level, records));
        }
    }

    public static byte[] Frame(byte[] records, byte flags, int blockSizeCode, bool stored = false, long? contentSize = null)
    {
        byte[] descriptor = [flags, (byte)(blockSizeCode << 4), .. (flags & 0x08) == 0 ? [] : BitConverter.GetBytes(contentSize ?? records.Length)];
        var output = new List<byte>([0x04, 0x22, 0x4d, 0x18, .. descriptor, (byte)(XxHash32.HashToUInt32(descriptor) >> 8)]);
        foreach (var part in records.Chunk(blockSizeCode == 4 ? 64 * 1024 : 1 << 18))
        {
            var block = Block(part, stored);
            output.AddRange(block);
            if ((flags & 0x10) != 0)
            {
                output.AddRange(BitConverter.GetBytes(XxHash32.HashToUInt32(block.AsSpan(4))));
            }
        }

        output.AddRange(new byte[4]);
        if ((flags & 0x04) != 0)
        {
            output.AddRange(BitConverter.GetBytes(XxHash32.HashToUInt32(records)));
        }

        return [.. output];
    }

    /// <summary>
    /// The frame without what Kafka's decoder does not look at: the content's size and checksum, and what follows the last whole block.
    /// The bytes themselves if they are no frame.
    /// </summary>
    public static byte[] Plainly(byte[] frame)
    {
        if (frame.Length < 7)
        {
            return frame;
        }

        var at = (frame[4] & 0x08) != 0 ? 15 : 7;
        byte[] descriptor = [(byte)(frame[4] & ~0x0c), frame[5]];
        var output = new List<byte>([.. frame[..4], .. descriptor, (byte)(XxHash32.HashToUInt32(descriptor) >> 8)]);
        while (frame.Length - at >= sizeof(uint))
        {
            var size = (int)(BinaryPrimitives.ReadUInt32LittleEndian(frame.AsSpan(at)) & int.MaxValue);
            var end = at + sizeof(uint) + (long)size + ((frame[4] & 0x10) != 0 ? sizeof(uint) : 0);
            if (size == 0 || end > frame.Length || !HoldsSomething(frame.AsSpan(at, size + sizeof(uint))))
            {
                break;
            }

            output.AddRange(frame.AsSpan(at, (int)end - at));
            at = (int)end;
        }

        return [.. output, 0, 0, 0, 0];
    }

    private static bool HoldsSomething(ReadOnlySpan<byte> block) =>
        block[3] >= 0x80 || LZ4Codec.Decode(block[sizeof(uint)..], new byte[Math.Min(1 << 22, 255 * block.Length)]) > 0;

    private static byte[] Block(byte[] part, bool stored)
    {
        if (stored)
        {
            return [.. BitConverter.GetBytes((uint)part.Length | (1u << 31)), .. part];
        }

        var room = new byte[LZ4Codec.MaximumOutputSize(part.Length)];
        var length = LZ4Codec.Encode(part, room);
        return [.. BitConverter.GetBytes(length), .. room.AsSpan(0, length)];
    }
}
