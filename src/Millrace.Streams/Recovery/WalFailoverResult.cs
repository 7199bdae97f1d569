namespace Millrace.Streams.Recovery;

/// <summary>What a recovery found and did.</summary>
/// <param name="Records">Records read from the WAL.</param>
/// <param name="Bytes">Payload bytes that were missing in objects and are committed now.</param>
/// <param name="Streams">Streams they belong to.</param>
public readonly record struct WalFailoverResult(long Records, long Bytes, int Streams);
