using Millrace.Runtime.Files;
using Millrace.Runtime.Ids;

namespace Millrace.Streams.Wal.Inspection;

/// <summary>What was found on a device, or in a file in its place, that may hold WALs.</summary>
/// <param name="Path">Where it was looked at.</param>
/// <param name="Bytes">How long it is.</param>
/// <param name="Device">What the system knows of it; null of a file.</param>
/// <param name="Holder">In whose name it is reserved, in words; null if nobody has it reserved, or it has no reservations.</param>
/// <param name="HasReservations">Whether it can be reserved; null where this process may not ask.</param>
/// <param name="Content">What stands at its beginning.</param>
/// <param name="Cluster">Whose WALs it holds; null if it is not labelled.</param>
/// <param name="Node">Of that cluster.</param>
/// <param name="Wals">The WAL in each half, where there is one.</param>
public sealed record DeviceInspection(
    string Path, long Bytes, BlockDeviceStatus? Device, string? Holder, bool? HasReservations, DeviceContent Content, string? Cluster, NodeId? Node,
    IReadOnlyList<FoundWal> Wals);
