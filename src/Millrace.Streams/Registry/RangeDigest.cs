namespace Millrace.Streams.Registry;

/// <summary>
/// A digest of a set of records: the sum, modulo 2^64 in each half, of a 128-bit hash of each record with its stream and
/// offsets. Sums add when ranges are joined and subtract when a part is cut away, so that the bucket can be proved against
/// the metadata without reading it in one piece.
/// </summary>
public readonly record struct RangeDigest(ulong High, ulong Low)
{
    public static RangeDigest operator +(RangeDigest left, RangeDigest right) => new(left.High + right.High, left.Low + right.Low);

    public static RangeDigest operator -(RangeDigest left, RangeDigest right) => new(left.High - right.High, left.Low - right.Low);
}
