using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>Which brokers there are, and what each of them is for the scaler.</summary>
internal sealed class BrokerCensus
{
    private readonly int _drained;

    private BrokerCensus(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, NodeId? victim)
    {
        var leaders = new HashSet<NodeId>();
        foreach (var partition in image.Topics.Values.SelectMany(topic => topic.Partitions))
        {
            if (partition.Leader is { } leader)
            {
                leaders.Add(leader);
            }
            else
            {
                HasFailover |= partition.PlannedTo is { } next && image.IsLive(next);
            }
        }

        Silent = leaders.Order().Select(leader => (NodeId?)leader).FirstOrDefault(leader => !loads.ContainsKey(leader!.Value));
        Controller = image.Controller;
        List<(NodeId Node, NodeLoad Load)> serving = [];
        List<NodeId> starting = [];
        foreach (var node in image.LiveNodes.Where(node => !node.IsLeaving).Select(node => node.Id))
        {
            Current++;
            if (BrokerDuties.IsDrained(image, node))
            {
                _drained += node == victim ? 0 : 1;
                Victim = node == victim ? node : Victim;
            }
            else if (loads.TryGetValue(node, out var load))
            {
                serving.Add((node, load));
            }
            else
            {
                starting.Add(node);
            }
        }

        (Serving, Starting) = (serving, starting);
        Loads = [.. image.LiveNodes.Select(node => loads.GetValueOrDefault(node.Id)).OfType<NodeLoad>()];
    }

    /// <summary>All that live and are not about to stop.</summary>
    public int Current { get; }

    /// <summary>Those that take part, and have told of their loads.</summary>
    public IReadOnlyList<(NodeId Node, NodeLoad Load)> Serving { get; }

    /// <summary>Those that will take part, and have not told yet: they have only come.</summary>
    public IReadOnlyList<NodeId> Starting { get; }

    /// <summary>The one that is drained to be stopped; null if none is.</summary>
    public NodeId? Victim { get; }

    public NodeId? Controller { get; }

    /// <summary>Of all that live, drained ones too.</summary>
    public IReadOnlyList<NodeLoad> Loads { get; }

    /// <summary>One that leads something and has not told of its load; null if there is none.</summary>
    public NodeId? Silent { get; }

    /// <summary>Somebody is about to take partitions over that have no leader.</summary>
    public bool HasFailover { get; }

    /// <summary>How many brokers there are: all that live and are not about to stop.</summary>
    public static int Count(MetadataImage image) => image.LiveNodes.Count(node => !node.IsLeaving);

    /// <param name="image">The cluster.</param>
    /// <param name="loads">The newest of each broker that has told lately.</param>
    /// <param name="victim">The one that the scaler has drained.</param>
    public static BrokerCensus Of(MetadataImage image, IReadOnlyDictionary<NodeId, NodeLoad> loads, NodeId? victim) => new(image, loads, victim);

    /// <summary>How many would take part if there were so many brokers: those that an operator has drained do not.</summary>
    public int SeatsOf(int brokers) => brokers - _drained;
}
