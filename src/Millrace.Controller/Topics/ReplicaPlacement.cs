using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Topics;

/// <summary>Where the replicas of new partitions are, of which the first that lives becomes the leader: spread over the live nodes and their racks.</summary>
/// <remarks>
/// Each live node leads in its turn, and the one after it is in another rack where there is one, so that partitions one after another are spread over both.
/// The turn goes on from topic to topic: a thousand topics of one partition are spread as one topic of a thousand. The other replicas come one from each
/// rack, as long as there are racks without one; and each time round they are others, so that a node that is lost leaves its partitions to all that are
/// left. Replicas are virtual: one whose node has not come yet keeps its place, and clients are not told of it. A node without a rack is in one with all
/// others without. Threading: one at a time.
/// </remarks>
internal sealed class ReplicaPlacement
{
    private readonly NodeImage[] _turns;
    private readonly int _nextNodeId;
    private readonly long _firstTurn;

    /// <param name="entry">Has a live node that is not cordoned.</param>
    public ReplicaPlacement(PendingEntry entry)
    {
        _turns = Alternate(Uncordoned(entry.Cluster));
        Invariant.Check(_turns.Length > 0);
        _nextNodeId = entry.Cluster.NextNodeId;
        // Counts the partitions that were ever made.
        _firstTurn = entry.Streams.NextStreamId;
    }

    /// <summary>Without a live broker nothing can be led, and so nothing is created.</summary>
    public static Refusal? RefuseWithoutBroker(PendingEntry entry) =>
        Uncordoned(entry.Cluster).Any() ? null
        : new Refusal(
            ErrorCode.InvalidReplicationFactor,
            entry.Cluster.LiveNodes.Any() ? "Every broker that lives is cordoned or drained." : "No broker is registered.");

    /// <summary>The first replica that is alive; if none is, any live node, since the data lies in shared storage.</summary>
    public static NodeId ChooseLeader(IReadOnlyList<NodeId> replicas, IReadOnlyList<NodeId> live, int partition)
    {
        Invariant.Check(live.Count > 0);
        foreach (var replica in replicas)
        {
            if (live.Contains(replica))
            {
                return replica;
            }
        }

        return live[partition % live.Count];
    }

    /// <summary>Who may lead what nobody leads: those that live and are not drained; where all are, all that live.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="except">One that is about to leave.</param>
    public static NodeId[] Candidates(MetadataImage cluster, NodeId? except = null)
    {
        NodeId[] live = [.. cluster.LiveNodes.Select(node => node.Id).Where(node => node != except)];
        NodeId[] meant = [.. live.Where(node => !BrokerDuties.IsDrained(cluster, node))];
        return meant.Length > 0 ? meant : live;
    }

    /// <summary>The replicas of some new partitions, as many as were asked for of each: the live nodes, then those that will be registered next.</summary>
    public IReadOnlyList<IReadOnlyList<NodeId>> Place(int partitions, int replicationFactor) =>
        [.. Enumerable.Range(0, partitions).Select(partition => PlaceInTurn(_firstTurn + partition, replicationFactor))];

    private static IEnumerable<NodeImage> Uncordoned(MetadataImage cluster) => cluster.LiveNodes.Where(node => !BrokerDuties.GetsNothingNew(cluster, node.Id));

    private IReadOnlyList<NodeId> PlaceInTurn(long turn, int replicationFactor)
    {
        var (round, first) = ((int)(turn / _turns.Length % int.MaxValue), (int)(turn % _turns.Length));
        List<NodeImage> placed = [_turns[first]];
        while (placed.Count < Math.Min(replicationFactor, _turns.Length))
        {
            placed.Add(Enumerable.Range(0, _turns.Length - 1)
                .Select(i => _turns[(first + 1 + ((round + i) % (_turns.Length - 1))) % _turns.Length])
                .Except(placed)
                .MinBy(node => placed.Count(other => other.Rack == node.Rack))!);
        }

        return [.. placed.Select(node => node.Id), .. Enumerable.Range(_nextNodeId, replicationFactor - placed.Count).Select(id => new NodeId(id))];
    }

    /// <summary>The first of each rack, then the second of each, and so on.</summary>
    private static NodeImage[] Alternate(IEnumerable<NodeImage> nodes) =>
    [
        .. nodes.GroupBy(node => node.Rack, StringComparer.Ordinal)
            .OrderBy(rack => rack.Key, StringComparer.Ordinal)
            .SelectMany(rack => rack.Select((node, row) => (Node: node, Row: row)))
            .OrderBy(place => place.Row)
            .Select(place => place.Node),
    ];
}
