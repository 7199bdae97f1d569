namespace Millrace.Tests.Protocol.Conformance;

/// <summary>What may have happened to a payload after it was encoded: cut, doubled, continued, flipped.</summary>
internal static class PayloadFaults
{
    public static byte[] Make(Random random, byte[] payload, List<string> names)
    {
        var (name, changed) = payload.Length < 2 ? ("", payload) : Change(random, payload);
        if (name.Length > 0)
        {
            names.Add("payload: " + name);
        }

        return changed;
    }

    private static (string Name, byte[] Changed) Change(Random random, byte[] payload)
    {
        switch (random.Next(16))
        {
            case 0:
                return ("cut at the end", payload[..^random.Next(1, Math.Min(13, payload.Length))]);
            case 1:
                return ("cut anywhere", payload[..random.Next(payload.Length)]);
            case 2:
                var behind = new byte[random.Next(1, 40)];
                random.NextBytes(behind);
                return ("bytes behind", [.. payload, .. behind]);
            case 3:
                return ("zeros behind", [.. payload, .. new byte[random.Next(1, 40)]]);
            case 4:
                return ("doubled", [.. payload, .. payload]);
            case 5:
                return ("flipped", Flipped(random, payload, 0, payload.Length));
            case 6:
                return ("flipped at the beginning", Flipped(random, payload, 0, 20));
            case 7:
                return ("flipped at the end", Flipped(random, payload, payload.Length - 12, payload.Length));
            case 8:
                var at = random.Next(payload.Length);
                return ("a byte less", [.. payload[..at], .. payload[(at + 1)..]]);
            case 9:
                at = random.Next(payload.Length);
                return ("a byte more", [.. payload[..at], (byte)random.Next(256), .. payload[at..]]);
            default:
                return ("", payload);
        }
    }

    private static byte[] Flipped(Random random, byte[] payload, int from, int to)
    {
        var changed = (byte[])payload.Clone();
        changed[random.Next(Math.Max(0, from), Math.Min(to, payload.Length))] ^= (byte)(1 << random.Next(8));
        return changed;
    }
}
