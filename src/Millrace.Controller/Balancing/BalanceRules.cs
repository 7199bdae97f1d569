namespace Millrace.Controller.Balancing;

/// <summary>When the balancer begins, when it is content, and how much it moves at once.</summary>
/// <remarks>Between where it begins and where it ends lies what noise may do: what was evened once is not touched again for it.</remarks>
internal sealed record BalanceRules
{
    public static BalanceRules Default { get; } = new();

    /// <summary>How often it looks.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The share of its processors that a node may use; above it is relieved whatever the others have.</summary>
    public double HighestCpu { get; init; } = 0.75;

    /// <summary>Up to here a node is relieved, and up to here another may be given what it loses.</summary>
    public double ContentCpu { get; init; } = 0.65;

    /// <summary>A node that has so many times the mean load has too much.</summary>
    public double BeginAbove { get; init; } = 1.12;

    /// <summary>Until it has so many times the mean.</summary>
    public double EndAt { get; init; } = 1.05;

    /// <summary>Nobody is given more than this, as a multiple of the mean: a little less than what would be too much.</summary>
    public double TakesUpTo { get; init; } = 1.1;

    /// <summary>Nor by an exchange more than this. That may be too much, but less than the other one had.</summary>
    public double ExchangesUpTo { get; init; } = 1.175;

    /// <summary>It has so many bytes a second more than the mean at least: what is less is worth no move.</summary>
    public long BeginBytes { get; init; } = 5_000_000;

    /// <summary>And so many times what chance makes of it: three standard deviations are seen once in a thousand windows.</summary>
    public double Doubts { get; init; } = 3;

    /// <summary>A node that leads so many times the mean number of partitions leads too many.</summary>
    public double BeginAboveCount { get; init; } = 1.2;

    /// <summary>A node that leads less than this share of the mean number is as good as empty, and is filled at once.</summary>
    public double EmptyBelow { get; init; } = 0.2;

    /// <summary>A partition is moved for its load if that takes at least this share of the mean from the node that leads it.</summary>
    public double LeastGain { get; init; } = 0.0005;

    /// <summary>So many windows one after another a node must have too much.</summary>
    public int Windows { get; init; } = 3;

    /// <summary>A partition that was moved stays for so long.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>So many moves a minute at most, but for those that fill an empty node.</summary>
    public int MovesPerMinute { get; init; } = 50;

    /// <summary>So many moves at once at most to fill empty nodes.</summary>
    public int MovesToFill { get; init; } = 5_000;
}
