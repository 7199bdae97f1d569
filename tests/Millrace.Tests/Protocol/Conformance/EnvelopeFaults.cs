using System.Buffers.Binary;

namespace Millrace.Tests.Protocol.Conformance;

/// <summary>What may be wrong with the bytes around a batch: magic, length, checksum, more or fewer bytes than one.</summary>
internal static class EnvelopeFaults
{
    public static byte[] Make(Random random, byte[] batch, List<string> names)
    {
        var (name, changed) = Change(random, (byte[])batch.Clone());
        if (name.Length > 0)
        {
            names.Add("envelope: " + name);
        }

        return changed;
    }

    private static (string Name, byte[] Changed) Change(Random random, byte[] batch)
    {
        switch (random.Next(60))
        {
            case 0:
                batch[16] = (byte)random.Next(-2, 5);
                return ($"magic {(sbyte)batch[16]}", batch);
            case 1:
                BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), batch.Length - 12 + random.Next(-70, 70));
                return ("length", batch);
            case 2:
                batch[17 + random.Next(4)] ^= (byte)(1 << random.Next(8));
                return ("checksum", batch);
            case 3:
                return ("two batches", [.. batch, .. batch]);
            case 4:
                return ("bytes behind", [.. batch, .. new byte[random.Next(1, 100)]]);
            case 5:
                return ("cut", batch[..random.Next(batch.Length)]);
            default:
                return ("", batch);
        }
    }
}
