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
            .Select(word => (Word: word, Distance: EditDistance.Between(given, word)))
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
            .Where(name => Parts(name, together).Any(part => EditDistance.Between(given, part) <= given.Length / 4))
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
}
