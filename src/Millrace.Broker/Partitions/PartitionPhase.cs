namespace Millrace.Broker.Partitions;

/// <summary>Where a partition is in its life on this node. It goes forward only, but for one that is taken back from <see cref="HandingOver"/>.</summary>
internal enum PartitionPhase
{
    /// <summary>Led by this node; the stream is opened when the first request, or the opener, comes by.</summary>
    Waiting,

    /// <summary>The stream is being opened and replayed; requests park.</summary>
    Opening,

    Open,

    /// <summary>Appends under way are finished and the tail uploaded; new appends park and will learn that the leader has moved.</summary>
    Closing,

    /// <summary>
    /// As closing, and the same step that closes the stream lets another node lead. From the first asking on that may have happened, and what is known here
    /// may be out of date: reads park, too. Until then it may be taken back, and be open again.
    /// </summary>
    HandingOver,

    /// <summary>Led by this node no more.</summary>
    Closed,

    /// <summary>The stream was taken away or failed: nothing here can be served until a new epoch.</summary>
    Lost,
}
