namespace Millrace.Controller.Scaling;

/// <summary>What of the scaler is not for operators to tune.</summary>
internal sealed record ScaleRules
{
    public static ScaleRules Default { get; } = new();

    /// <summary>How often it looks: as often as brokers tell of their loads.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often it looks while a broker is drained or the command has something to do.</summary>
    public TimeSpan Step { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A broker goes only if each of the others would have at most so much of what it may have: a quarter more load is needed then before one comes again.
    /// </summary>
    public double InBelow { get; init; } = 0.8;

    /// <summary>So many come at once at most, as a share of those that serve; but one may always.</summary>
    public double LargestStep { get; init; } = 0.5;

    /// <summary>
    /// So long it counts on brokers that are to come, or to come again. A machine that is ordered from a cloud, with the start of the broker on it, takes a few
    /// minutes.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What a failover waits for may be away for good, as a WAL on a lost disk: no longer than this is it a reason to wait.</summary>
    public TimeSpan FailoverPatience { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The pause after the command has failed; twice as long each time.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(5);
}
