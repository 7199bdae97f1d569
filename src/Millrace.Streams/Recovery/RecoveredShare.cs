namespace Millrace.Streams.Recovery;

/// <summary>What a recovery found and did.</summary>
/// <param name="Records">Records read from the WAL, in whoever's share.</param>
/// <param name="Bytes">Payload bytes of the share that were missing in objects and are committed now.</param>
/// <param name="Streams">Streams they belong to.</param>
/// <param name="IsGivenBack">Nothing waited for the WAL any more, in whoever's share, and what it took was given back.</param>
/// <param name="Times">What took how long.</param>
public readonly record struct RecoveredShare(long Records, long Bytes, int Streams, bool IsGivenBack, RecoveryTimes Times);
