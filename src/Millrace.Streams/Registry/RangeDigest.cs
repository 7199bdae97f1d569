namespace Millrace.Streams.Registry;

/// <summary>
/// A digest of a set of records: the sum, modulo 2^64 in each half, of a 128-bit hash of each record with its stream and
/// offsets. Sums add when ranges are joined, so that an object can be proved range by range against the one sum of it that the
/// metadata has.
/// </summary>
public readonly record struct RangeDigest(ulong High, ulong Low)
{
    public static RangeDigest operator +(RangeDigest left, RangeDigest right) => new(left.High + right.High, left.Low + right.Low);

    public static RangeDigest operator -(RangeDigest left, RangeDigest right) => new(left.High - right.High, left.Low - right.Low);
}
