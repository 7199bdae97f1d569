namespace Millrace.Broker.Partitions.Producers;

/// <summary>Arithmetic on a producer's sequence numbers: 31 bits that wrap from 2147483647 to 0.</summary>
internal static class ProducerSequence
{
    /// <summary>The number <paramref name="count"/> (not negative) steps behind <paramref name="sequence"/>.</summary>
    public static int Advance(int sequence, int count) => (int)(((long)sequence + count) & int.MaxValue);

    /// <summary>Whether one number lies behind another: less than half of all numbers ahead, since they wrap.</summary>
    public static bool IsBehind(int sequence, int other) => ((sequence - other) & int.MaxValue) is > 0 and <= int.MaxValue / 2;

    public static int Next(int sequence) => Advance(sequence, 1);
}
