namespace Millrace.Server.Options;

/// <summary>How far two words are apart for somebody who types.</summary>
internal static class EditDistance
{
    /// <summary>How many characters must be inserted, deleted, replaced or swapped with their neighbour to make one word the other.</summary>
    public static int Between(string from, string to)
    {
        var rows = new int[3][];
        for (var i = 0; i < 3; i++)
        {
            rows[i] = new int[to.Length + 1];
        }

        for (var j = 0; j <= to.Length; j++)
        {
            rows[0][j] = j;
        }

        for (var i = 1; i <= from.Length; i++)
        {
            var (row, above, twoAbove) = (rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3]);
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var same = from[i - 1] == to[j - 1];
                row[j] = Math.Min(Math.Min(above[j], row[j - 1]) + 1, above[j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                {
                    row[j] = Math.Min(row[j], twoAbove[j - 2] + 1);
                }
            }
        }

        return rows[from.Length % 3][to.Length];
    }
}
