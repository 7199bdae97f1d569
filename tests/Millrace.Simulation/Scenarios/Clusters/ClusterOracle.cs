using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>Whether the images that brokers hold agree with one another, and what has happened to the cluster in them.</summary>
/// <param name="kernel">Its world.</param>
/// <param name="troubleOf">What is or was the matter with a broker, by its name, so that it may be given up; null if nothing.</param>
internal sealed class ClusterOracle(SimulationKernel kernel, Func<string, string?> troubleOf)
{
    private const int MostChangesForAFault = 3;
    private readonly SortedDictionary<MetadataVersion, string> _images = [];
    private readonly Dictionary<(StreamId Stream, StreamEpoch Epoch), (NodeId Node, NodeEpoch Epoch)> _leaders = [];
    private readonly Dictionary<Guid, long> _fencedIn = [];
    private long _term = -1;
    private int _changes;

    /// <summary>The newest image that any broker holds or held.</summary>
    public MetadataImage Newest { get; private set; } = MetadataImage.Empty;

    /// <summary>Trouble begins: from now on changes of the controller are counted for it.</summary>
    public void FaultBegins() => _changes = 0;

    /// <summary>A broker holds an image: whoever else ever holds one of that version holds the same.</summary>
    public void Seen(MetadataImage image)
    {
        var text = Print(image);
        if (!_images.TryAdd(image.Version, text))
        {
            if (_images[image.Version] != text)
            {
                kernel.Fail(new ViolationException($"Two brokers differ at version {image.Version}: {_images[image.Version]} and {text}"));
            }

            return;
        }

        foreach (var topic in image.Topics.Values)
        {
            foreach (var partition in topic.Partitions)
            {
                SeenLeader(image, topic, partition);
            }
        }

        if (image.Version > Newest.Version)
        {
            CountChanges(Newest, image);
            Newest = image;
        }
    }

    /// <summary>An incarnation was told that it is fenced: nobody may say so of one that is alive in the newest image.</summary>
    public void Fenced(NodeIncarnation self, Exception reason)
    {
        if (Newest.Nodes.TryGetValue(self.Node, out var node) && node.Epoch == self.Epoch && node.IsLive)
        {
            kernel.Fail(new ViolationException($"Node {self} is told that it is fenced ({reason.Message}), and is alive at {Newest.Version}"));
        }
    }

    /// <summary>The term in which the writer of a WAL that waits for recovery was fenced.</summary>
    public long? FencedIn(Guid wal) => _fencedIn.TryGetValue(wal, out var term) ? term : null;

    private void SeenLeader(MetadataImage image, TopicImage topic, PartitionImage partition)
    {
        if (partition.Leader is not { } leader)
        {
            return;
        }

        if (partition.Moves && !image.IsLive(partition.PlannedTo!.Value))
        {
            kernel.Fail(new ViolationException($"{topic.Name}-{partition.Index} is to move to node {partition.PlannedTo}, which is not alive"));
        }

        var found = (leader, image.Nodes[leader].Epoch);
        if (!_leaders.TryAdd((partition.Stream, partition.Epoch), found) && _leaders[(partition.Stream, partition.Epoch)] is var other && other != found)
        {
            kernel.Fail(new ViolationException($"{topic.Name}-{partition.Index} has two leaders at epoch {partition.Epoch}: {other} and {found}"));
        }
    }

    /// <summary>When all moves have ended: no drained node leads, if another that lives may.</summary>
    public void AuditDrained()
    {
        if (!Newest.LiveNodes.Any(node => !BrokerDuties.IsDrained(Newest, node.Id)))
        {
            return;
        }

        foreach (var topic in Newest.Topics.Values)
        {
            if (topic.Partitions.Find(partition => partition.Leader is { } leader && BrokerDuties.IsDrained(Newest, leader)) is { } led)
            {
                throw new ViolationException($"{topic.Name}-{led.Index} is led by node {led.Leader}, which is drained");
            }
        }
    }

    private void CountChanges(MetadataImage before, MetadataImage after)
    {
        if (after.Version.Term > _term)
        {
            kernel.Coverage.Count("controllers: changes", _term < 0 ? 0 : 1);
            kernel.Coverage.Count("controllers: more than three for one fault", ++_changes == MostChangesForAFault + 1 ? 1 : 0);
            _term = after.Version.Term;
        }

        foreach (var node in before.LiveNodes)
        {
            if (after.Nodes.TryGetValue(node.Id, out var now) && now.Epoch == node.Epoch && now.State == NodeState.Fenced)
            {
                var cause = $"fences: {troubleOf(node.Name!) ?? "without a cause"}";
                kernel.Coverage.Count(cause);
                kernel.Trace.Note($"node {node.Id} ({node.Name}), epoch {node.Epoch}, is fenced at {after.Version}; {cause}");
            }
        }

        CountRecoveries(before, after);
        foreach (var topic in after.Topics.Values)
        {
            if (before.TryGetTopic(topic.Id, out var former) && !ReferenceEquals(former, topic))
            {
                CountMoves(after, former, topic);
                kernel.Coverage.Count("leaders: changed", topic.Partitions.Zip(former.Partitions).Count(pair => pair.First.Leader != pair.Second.Leader));
            }
        }
    }

    // Images may be passed over, and then more than one step has happened; the clear cases are frequent enough.
    private void CountMoves(MetadataImage after, TopicImage former, TopicImage topic)
    {
        foreach (var (was, now) in former.Partitions.Zip(topic.Partitions).Where(pair => pair.First.Moves))
        {
            var isNext = now.Leader is not null && now.LeaderEpoch == was.LeaderEpoch + 1;
            var isDone = isNext && now.Leader == was.PlannedTo;
            kernel.Coverage.Count("moves: done", isDone ? 1 : 0);
            kernel.Coverage.Count("moves: done, of groups", isDone && topic.IsInternal ? 1 : 0);
            kernel.Coverage.Count("moves: ended by a fence", !after.IsLive(was.Leader!.Value) || !after.IsLive(was.PlannedTo!.Value) ? 1 : 0);
        }

        foreach (var (was, now) in former.Partitions.Zip(topic.Partitions).Where(pair => !pair.First.Moves && pair.First.Leader is not null))
        {
            var isSame = now.Leader == was.Leader && now.LeaderEpoch == was.LeaderEpoch + 1
                && _leaders[(was.Stream, was.Epoch)] == _leaders[(now.Stream, now.Epoch)];
            kernel.Coverage.Count("moves: given back", isSame ? 1 : 0);
        }
    }

    private void CountRecoveries(MetadataImage before, MetadataImage after)
    {
        foreach (var wal in after.Wals.Values.Where(wal => wal.State == WalState.AwaitsRecovery))
        {
            _fencedIn.TryAdd(wal.Id, after.Version.Term);
        }

        foreach (var id in _fencedIn.Keys.Where(id => !after.Wals.TryGetValue(id, out var wal) || wal.State != WalState.AwaitsRecovery).ToArray())
        {
            _fencedIn.Remove(id, out var term);
            kernel.Coverage.Count("recoveries: complete");
            kernel.Coverage.Count("recoveries: the controller changed meanwhile", after.Version.Term > term ? 1 : 0);
        }

        var planned = after.Topics.Values.SelectMany(topic => topic.Partitions).Where(partition => partition.Leader is null).ToArray();
        if (after.Nodes.Values.Count(node => !node.IsLive) > before.Nodes.Values.Count(node => !node.IsLive))
        {
            kernel.Coverage.Count(
                "recoveries: planned to several", planned.Select(partition => partition.PlannedTo).OfType<NodeId>().Distinct().Count() > 1 ? 1 : 0);
        }

        foreach (var partition in planned)
        {
            var former = before.Topics.Values.SelectMany(topic => topic.Partitions).FirstOrDefault(other => other.Stream == partition.Stream);
            kernel.Coverage.Count("recoveries: planned again", former is { Leader: null, PlannedTo: { } survivor } && survivor != partition.PlannedTo ? 1 : 0);
        }
    }

    private static string Print(MetadataImage image) =>
        $"{image.ClusterUuid} {image.Controller} "
        + string.Join(',', image.Nodes.Values.Select(node => $"{node.Id}:{node.Epoch}:{node.State}")) + ' '
        + string.Join(',', image.Wals.Values.Select(wal => $"{wal.Id}:{wal.State}")) + ' '
        + string.Join(';', image.Topics.Values.Select(topic => $"{topic.Name}:{topic.Id}:"
            + string.Join(',', topic.Partitions.Select(partition => $"{partition.Leader}@{partition.Epoch}>{partition.PlannedTo}"))));
}
