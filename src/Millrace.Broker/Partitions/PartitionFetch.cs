namespace Millrace.Broker.Partitions;

/// <summary>What a fetch wants of one partition.</summary>
/// <param name="Offset">Where to begin; the batch that contains it comes whole.</param>
/// <param name="MaxBytes">The most to return.</param>
/// <param name="AtLeastOne">The first batch is returned even if it is larger than that, so that a client is never stuck before it.</param>
/// <param name="CurrentLeaderEpoch">The leader epoch the client knows; -1 if it does not say.</param>
/// <param name="LastFetchedEpoch">The leader epoch of the client's last record; -1 if it does not say.</param>
internal readonly record struct PartitionFetch(long Offset, int MaxBytes, bool AtLeastOne, int CurrentLeaderEpoch, int LastFetchedEpoch);
