using Millrace.Controller.State;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Controller.Streams;

/// <summary>When a WAL that waits for recovery is needed no more: when no stream waits for it.</summary>
internal static class WalRetirement
{
    /// <summary>Retires those that nothing waits for: nothing in them counts, whatever it is, and what they take may be given back.</summary>
    public static void RetireUnneeded(PendingEntry entry)
    {
        foreach (var wal in WaitingIn(entry.State).Where(wal => StreamsIn(entry.State, wal).Count == 0).ToArray())
        {
            entry.Add((wal with { State = WalState.Retired }).ToRecord());
        }
    }

    /// <summary>Those of fenced incarnations that are needed, by the age of the incarnation.</summary>
    public static IEnumerable<WalImage> WaitingIn(ClusterState state) =>
        state.Cluster.Wals.Values.Where(wal => wal.State == WalState.AwaitsRecovery).OrderBy(wal => wal.Epoch);

    /// <summary>The streams whose open ranges lie in it, by id.</summary>
    public static IReadOnlyCollection<StreamId> StreamsIn(ClusterState state, WalImage wal) =>
        state.Streams.OpenStreamsIn(WriterOf(wal), WalName.Of(wal));

    /// <summary>Who writes it, or did.</summary>
    public static NodeIncarnation WriterOf(WalImage wal) => new(wal.Node, wal.Epoch);
}
