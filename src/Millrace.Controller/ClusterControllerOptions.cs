using Millrace.Controller.Balancing;
using Millrace.Controller.Objects;
using Millrace.Controller.Scaling;

namespace Millrace.Controller;

/// <summary>What operators tune about the controller.</summary>
public sealed record ClusterControllerOptions
{
    /// <summary>The brokers' settings, by Kafka's names: defaults of topics come from them.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How often a controller that has nothing to append looks whether it was deposed, while anything lets it doubt: leases rest on that.</summary>
    public TimeSpan OwnershipInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often it looks while it hears all nodes. A read in so many seconds is ten cents a month.</summary>
    public TimeSpan CalmOwnershipInterval { get; init; } = TimeSpan.FromSeconds(11);

    /// <summary>How long after its id was handed out an object may still be committed. Longer than any upload.</summary>
    public TimeSpan PrepareDeadline { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long an object stays in the store after nothing refers to it any more. Longer than any read.</summary>
    public TimeSpan DeletionDelay { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many ranges of a stream that follow one another in objects of about one size are merged.</summary>
    public int CompactionFanIn { get; init; } = 8;

    /// <summary>
    /// What is so large of a stream in one object stays there. At most a quarter of what a merged object takes: merged it must come to more than this, though
    /// half of an object may be the places of tiny records.
    /// </summary>
    public long CompactedRangeBytes { get; init; } = 4L << 20;

    /// <summary>How long nobody else gets what a node was given to compact and has not brought.</summary>
    public TimeSpan CompactionPatience { get; init; } = TimeSpan.FromMinutes(10);

    internal BalanceRules BalanceRules { get; init; } = BalanceRules.Default;

    /// <summary>Who starts and stops brokers for the scaler; null where nobody does.</summary>
    public IScalerHook? ScalerHook { get; init; }

    internal ScaleRules ScaleRules { get; init; } = ScaleRules.Default;

    internal CompactionRules CompactionRules { get; init; } = CompactionRules.Default;

    /// <summary>How often objects that may go are looked for.</summary>
    public TimeSpan CollectionInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the whole store is listed for objects that the metadata does not know.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromHours(6);
}
