namespace Millrace.Streams.Cache;

/// <summary>What a record costs in memory beside its payload, in bytes: for small records it is the larger part.</summary>
internal static class RecordCost
{
    /// <summary>
    /// In the log cache: its place, its share of places that are not taken yet, of which there is one for four at most, and the bookkeeping of
    /// an upload.
    /// </summary>
    public const int Cached = 112;

    /// <summary>
    /// On its way to the WAL: its entry in the queue, the completion that its producer awaits, the header it gets, and, the other half, what
    /// the layer above keeps until it can answer. Seen with a WAL that does not answer: 820 bytes in all for a record of 75.
    /// </summary>
    public const int UnderWay = 640;
}
