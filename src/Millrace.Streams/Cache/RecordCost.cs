namespace Millrace.Streams.Cache;

/// <summary>What a record costs in memory beside its payload, in bytes: for small records it is the larger part.</summary>
internal static class RecordCost
{
    /// <summary>In the log cache: its place, and its share of places that are not taken yet, of which there is one for four at most.</summary>
    public const int Cached = 96;

    /// <summary>On its way to the WAL: its entry in the queue, the completion that its producer awaits, and the header it gets.</summary>
    public const int UnderWay = 320;
}
