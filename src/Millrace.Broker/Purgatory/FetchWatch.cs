namespace Millrace.Broker.Purgatory;

/// <summary>A waiting fetch's place in one partition's list. The list is threaded through these, so that leaving it costs no search.</summary>
internal sealed class FetchWatch(FetchWait wait)
{
    public FetchWait Wait => wait;

    /// <summary>Where it is listed; set once.</summary>
    public PartitionProgress? List { get; set; }

    // Guarded by the list's lock.
    internal FetchWatch? Previous { get; set; }

    internal FetchWatch? Next { get; set; }

    internal bool Listed { get; set; }
}
