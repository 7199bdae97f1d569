namespace Millrace.Protocol.Records;

/// <summary>
/// Walks over the elements of a snappy block without decompressing it. The decoder stops when it has the length that the block
/// states, and does not look at what follows; others refuse that.
/// </summary>
internal static class SnappyBlock
{
    // The length before the elements: 7 bits a byte.
    private const int MostLengthBytes = 5;

    // Longer literals have their length in one to four bytes behind the tag.
    private const int LongestShortLiteral = 60;

    /// <summary>The elements end where the block ends, and make as many bytes as it states.</summary>
    public static bool HoldsExactly(ReadOnlySpan<byte> block, long length)
    {
        var at = 0;
        while (at < block.Length && at < MostLengthBytes && block[at] >= 0x80)
        {
            at++;
        }

        at++;
        var made = 0L;
        while (at < block.Length && made <= length)
        {
            int tag = block[at++];
            switch (tag & 3)
            {
                case 0:
                    if (!TrySkipLiteral(block, tag, ref at, ref made))
                    {
                        return false;
                    }

                    break;
                case 1:
                    made += 4 + ((tag >> 2) & 7);
                    at += 1;
                    break;
                default:
                    made += (tag >> 2) + 1;
                    at += (tag & 3) == 2 ? 2 : 4;
                    break;
            }
        }

        return at == block.Length && made == length;
    }

    private static bool TrySkipLiteral(ReadOnlySpan<byte> block, int tag, ref int at, ref long made)
    {
        var length = (tag >> 2) + 1L;
        if (length > LongestShortLiteral)
        {
            var size = (int)length - LongestShortLiteral;
            if (size > block.Length - at)
            {
                return false;
            }

            length = 1;
            for (var i = 0; i < size; i++)
            {
                length += (long)block[at++] << (8 * i);
            }
        }

        if (length > block.Length - at)
        {
            return false;
        }

        at += (int)length;
        made += length;
        return true;
    }
}
