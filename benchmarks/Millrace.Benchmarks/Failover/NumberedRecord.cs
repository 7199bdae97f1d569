using System.Buffers.Binary;

namespace Millrace.Benchmarks.Failover;

/// <summary>
/// The n-th record of a partition, as each <see cref="IRecordWriter"/> writes it: n, in eight bytes, again and again, and zeros where that leaves less than
/// eight. What was lost, doubled, out of order or altered is seen by the record alone.
/// </summary>
internal static class NumberedRecord
{
    private const int Word = sizeof(long);

    public static byte[] Make(long number, int bytes)
    {
        var record = new byte[bytes];
        for (var at = 0; at + Word <= bytes; at += Word)
        {
            BinaryPrimitives.WriteInt64BigEndian(record.AsSpan(at), number);
        }

        return record;
    }

    public static long NumberOf(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt64BigEndian(record);

    /// <summary>Whether all of it is as it was made.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> record)
    {
        var words = record.Length / Word * Word;

        // Each word is the one before it.
        return record[Word..words].SequenceEqual(record[..(words - Word)]) && !record[words..].ContainsAnyExcept((byte)0);
    }
}
