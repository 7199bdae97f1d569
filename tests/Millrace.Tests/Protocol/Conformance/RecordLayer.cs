using System.Buffers;
using Millrace.Protocol.Primitives;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>Uncompressed records, sound or with one fault in one of them.</summary>
internal static class RecordLayer
{
    private static readonly string[] Faults =
    [
        "gap", "repeated offset", "first offset 1", "length +1", "length -1", "length negative", "length huge", "key length -2", "key too long",
        "value length -2", "value too long", "header count -1", "header count +1", "header count huge", "header key null", "header value -2",
        "attributes", "long varint", "varint beyond 32 bits", "bytes behind", "cut", "one record more", "one record less",
        "timestamp delta below", "timestamp delta far", "header key no UTF-8",
    ];

    public static (byte[] Records, int Count, long MaxDelta) Make(Random random, List<string> names)
    {
        var count = random.Next(4) == 0 ? 1 : random.Next(2, 9);
        var fault = random.Next(3) == 0 ? Faults[random.Next(Faults.Length)] : "";
        var at = random.Next(count);
        var output = new ArrayBufferWriter<byte>();
        var maxDelta = 0L;
        for (var i = 0; i < count; i++)
        {
            var delta = i == at ? Delta(fault, random) : random.Next(5);
            maxDelta = Math.Max(maxDelta, delta);
            Write(output, random, i, delta, i == at ? fault : "", fault);
        }

        var records = output.WrittenSpan.ToArray();
        records = fault switch
        {
            "bytes behind" => [.. records, .. new byte[random.Next(1, 10)]],
            "cut" => records[..^Math.Min(records.Length - 1, random.Next(1, 10))],
            _ => records,
        };
        if (fault.Length > 0)
        {
            names.Add("records: " + fault);
        }

        var stated = fault switch { "one record more" => count + 1, "one record less" when count > 1 => count - 1, _ => count };
        return (records, stated, maxDelta);
    }

    private static long Delta(string fault, Random random) => fault switch
    {
        "timestamp delta below" => -1L - random.NextInt64(1L << (10 + random.Next(45))),
        "timestamp delta far" => random.NextInt64(1L << (20 + random.Next(43))),
        _ => random.Next(5),
    };

    private static void Write(ArrayBufferWriter<byte> output, Random random, int index, long timestampDelta, string fault, string batchFault)
    {
        var body = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(body);
        writer.WriteInt8(fault == "attributes" ? (sbyte)random.Next(1, 128) : (sbyte)0);
        writer.WriteVarlong(timestampDelta);
        var offset = (fault, batchFault) switch
        {
            ("gap", _) => index + 1 + random.Next(3),
            ("repeated offset", _) => index - 1,
            (_, "first offset 1") => index + 1,
            _ => index,
        };
        WriteVarint(ref writer, offset, fault, random);
        WriteBytes(ref writer, random.Next(4) == 0 ? null : Bytes(random, 20), fault == "key length -2" ? -2 : fault == "key too long" ? 1000 : null);
        WriteBytes(
            ref writer,
            random.Next(6) == 0 ? null : Bytes(random, random.Next(20) == 0 ? 70_000 : 200),
            fault == "value length -2" ? -2 : fault == "value too long" ? 100_000 : null);
        var headers = fault.StartsWith("header", StringComparison.Ordinal) ? random.Next(1, 3) : random.Next(3) == 0 ? random.Next(1, 4) : 0;
        writer.WriteVarint(fault switch { "header count -1" => -1, "header count +1" => headers + 1, "header count huge" => int.MaxValue, _ => headers });
        for (var i = 0; i < headers; i++)
        {
            byte[]? key = fault == "header key null" ? null : fault == "header key no UTF-8" ? [0xff, 0xfe] : "name"u8.ToArray();
            WriteBytes(ref writer, key, null);
            WriteBytes(ref writer, random.Next(3) == 0 ? null : Bytes(random, 10), fault == "header value -2" ? -2 : null);
        }

        writer.Flush();
        var result = new KafkaWriter(output);
        result.WriteVarint(fault switch
        {
            "length +1" => body.WrittenCount + 1,
            "length -1" => body.WrittenCount - 1,
            "length negative" => -random.Next(1, 5),
            "length huge" => int.MaxValue - random.Next(10),
            _ => body.WrittenCount,
        });
        result.WriteRaw(body.WrittenSpan);
        result.Flush();
    }

    private static void WriteVarint(ref KafkaWriter writer, int value, string fault, Random random)
    {
        var zigzag = (byte)(value << 1);
        switch (fault)
        {
            case "long varint":
                writer.WriteRaw(new byte[] { (byte)(zigzag | 0x80), 0x80, 0x00 });
                break;
            case "varint beyond 32 bits":
                writer.WriteRaw(new byte[] { (byte)(zigzag | 0x80), 0x80, 0x80, 0x80, (byte)(random.Next(1, 8) << 4) });
                break;
            default:
                writer.WriteVarint(value);
                break;
        }
    }

    private static void WriteBytes(ref KafkaWriter writer, byte[]? bytes, int? length)
    {
        writer.WriteVarint(length ?? bytes?.Length ?? -1);
        writer.WriteRaw(length == -2 ? [] : bytes ?? []);
    }

    /// <summary>Half of it repeats, so that codecs have something to find.</summary>
    private static byte[] Bytes(Random random, int most)
    {
        var bytes = new byte[random.Next(most)];
        random.NextBytes(bytes.AsSpan(bytes.Length / 2));
        return bytes;
    }
}
