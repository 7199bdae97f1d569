using Millrace.Streams.Wal;

namespace Millrace.Controller.Nodes;

/// <summary>A WAL of a fenced incarnation, and what waits for it: sorted by topic and partition. It may be nothing.</summary>
public sealed record WaitingWal(WalDescriptor Wal, IReadOnlyList<WaitingStream> Streams);
