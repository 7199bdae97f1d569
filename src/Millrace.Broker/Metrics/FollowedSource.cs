namespace Millrace.Broker.Metrics;

/// <summary>Where the records come from that are read of a partition which another broker leads.</summary>
internal enum FollowedSource
{
    /// <summary>The newest, which the leader has told once for all readers.</summary>
    Tail,

    /// <summary>The store.</summary>
    Objects,

    /// <summary>Asked of the leader for this reader alone.</summary>
    Leader,
}
