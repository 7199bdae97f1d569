using Millrace.Metadata.Image;
using Millrace.Streams;
using Millrace.Streams.Registry;

namespace Millrace.Controller.State;

/// <summary>
/// What a stream's range calls the WAL of its owner in which it lies: an additional one by its kind, the default by nothing, which is 0 in records and
/// messages.
/// </summary>
internal static class WalName
{
    public static WalKind? Of(WalImage wal) => wal.IsAdditional ? (WalKind)wal.Kind : null;

    /// <summary>Whether it is the one in which an open range lies.</summary>
    public static bool Holds(this WalImage wal, in EpochRange open) =>
        open.Owner == new NodeIncarnation(wal.Node, wal.Epoch) && open.Wal == Of(wal);

    public static sbyte ToNumber(WalKind? name) => (sbyte)(name ?? 0);

    public static WalKind? FromNumber(sbyte number) => number == 0 ? null : (WalKind)number;
}
