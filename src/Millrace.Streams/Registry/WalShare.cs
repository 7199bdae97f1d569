namespace Millrace.Streams.Registry;

/// <summary>What one node has to bring of a fenced incarnation's WAL: no other may, and it may bring nothing else.</summary>
/// <param name="WalId">The WAL.</param>
/// <param name="Ranges">By stream, each once.</param>
public sealed record WalShare(Guid WalId, IReadOnlyList<ShareRange> Ranges);
