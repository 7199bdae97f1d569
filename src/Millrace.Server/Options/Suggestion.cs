namespace Millrace.Server.Options;

/// <summary>Finds what somebody may have meant.</summary>
internal static class Suggestion
{
    // A line that stays readable.
    private const int Named = 8;

    /// <summary>The known word that is nearest to a given one, or null if none is near.</summary>
    public static string? Nearest(string given, IEnumerable<string> known)
    {
        var (best, distance) = known
            .Select(word => (Word: word, Distance: Distance(given, word)))
            .DefaultIfEmpty((Word: "", Distance: int.MaxValue))
            .MinBy(candidate => candidate.Distance);
        return distance <= Math.Max(2, given.Length / 4) ? best : null;
    }

    /// <summary>" Did you mean 'word'?", to end a message with; empty if no known word is near.</summary>
    public static string Question(string given, IEnumerable<string> known) => Nearest(given, known) is { } nearest ? $" Did you mean '{nearest}'?" : "";

    /// <summary>As <see cref="Question"/>, for names with dots in them: where none is near, those of which a part is.</summary>
    public static string OfParts(string given, IEnumerable<string> known)
    {
        var question = Question(given, known);
        if (question.Length > 0)
        {
            return question;
        }

        var together = given.Count(letter => letter == '.') + 1;
        var near = known
            .Where(name => Parts(name, together).Any(part => Distance(given, part) <= given.Length / 4))
            .Order(StringComparer.Ordinal)
            .ToList();
        var rest = near.Count > Named ? $" and {near.Count - Named} more" : "";
        return near.Count == 0 ? "" : $" There is {string.Join(", ", near.Take(Named))}{rest}.";
    }

    /// <summary>All of a name's parts, so many together as are given.</summary>
    private static IEnumerable<string> Parts(string name, int together)
    {
        var parts = name.Split('.');
        return Enumerable.Range(0, Math.Max(0, parts.Length - together + 1)).Select(first => string.Join('.', parts, first, together));
    }

    /// <summary>How many characters must be inserted, deleted, replaced or swapped with their neighbour to make one word the other.</summary>
    internal static int Distance(string from, string to)
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
