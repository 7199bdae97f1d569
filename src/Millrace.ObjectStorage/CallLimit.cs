namespace Millrace.ObjectStorage;

/// <summary>How long one call to a store may take: some time for the answer, and some for its bytes.</summary>
internal static class CallLimit
{
    /// <summary>What to count for a body of unknown length: about what an entry of a log holds at most.</summary>
    public const long UnknownBody = 4 << 20;

    // What a link may well still have when a few dozen calls share it: 16 Mbit/s. A slower one gets more time with each attempt, since the
    // same bytes would meet the same limit for ever.
    private const double LeastBytesPerSecond = 256 << 10;

    // 16 times the time: 16 KiB/s.
    private const int MostDoublings = 4;

    /// <param name="answer">For a call without a body.</param>
    /// <param name="bytes">Of the body, whichever way it goes.</param>
    /// <param name="attempt">From 1: how often it has been begun.</param>
    public static TimeSpan For(TimeSpan answer, long bytes, int attempt) =>
        answer + TimeSpan.FromSeconds(bytes / LeastBytesPerSecond * (1 << Math.Min(attempt - 1, MostDoublings)));

    /// <summary>For a call that is made once, and whose caller has limits of its own.</summary>
    public static TimeSpan Longest(TimeSpan answer, long bytes) => For(answer, bytes, MostDoublings + 1);
}
