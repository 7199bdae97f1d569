namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>What a medium may hold of writes that the power failed under: some of their sectors, and of the others what stood there before.</summary>
internal static class TornWrite
{
    /// <summary>All that begins whole and all that ends whole, and some of the other choices.</summary>
    public static IEnumerable<byte[]> Of(byte[] before, byte[] after, int sector, int others)
    {
        var sectors = before.Length / sector;
        for (var boundary = 0; boundary <= sectors; boundary++)
        {
            yield return Mix(before, after, sector, place => place < boundary);
            yield return Mix(before, after, sector, place => place >= boundary);
        }

        for (var seed = 0; seed < others; seed++)
        {
            var random = new Random(seed);
            yield return Mix(before, after, sector, _ => random.Next(2) == 0);
        }
    }

    private static byte[] Mix(byte[] before, byte[] after, int sector, Predicate<int> arrived)
    {
        var mixed = (byte[])before.Clone();
        for (var place = 0; place < before.Length / sector; place++)
        {
            if (arrived(place))
            {
                after.AsSpan(place * sector, sector).CopyTo(mixed.AsSpan(place * sector));
            }
        }

        return mixed;
    }
}
