using System.Runtime.InteropServices;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams.Registry;

namespace Millrace.Cluster.Liveness;

/// <summary>Which partitions have no leader, since when and for what cause: where the controller is, while it is there.</summary>
/// <remarks>
/// Read off the images that the controller publishes, whoever decided what is in them: no way to lose a leader goes past it. One failover is of all that an
/// incarnation has led, and lasts until the last of it is led again or deleted. A controller knows nothing of what its predecessor saw: what has no leader
/// when its term begins counts from then on, as <see cref="LossCause.Unseen"/>, and what waits when it ends was measured by nobody to its end.
/// Threading: observing by the publisher of the images, the rest by any thread.
/// </remarks>
/// <param name="time">Whose time counts.</param>
/// <param name="lost">Called for each incarnation that has ended, with why; as observers of images are, it must neither block nor throw.</param>
/// <param name="recovered">Called when a failover is over, with how long it took; as above.</param>
internal sealed class Failovers(TimeProvider time, Action<LossCause> lost, Action<LossCause, TimeSpan> recovered)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeIncarnation, LossCause> _announced = [];
    private readonly Dictionary<(Guid Topic, int Partition), Failover> _waiting = [];

    /// <summary>Says why an incarnation is about to be given up, which no image says.</summary>
    public void Announce(NodeIncarnation node, LossCause cause)
    {
        lock (_lock)
        {
            _announced[node] = cause;
        }
    }

    /// <summary>It was not given up after all, or has been.</summary>
    public void Withdraw(NodeIncarnation node)
    {
        lock (_lock)
        {
            _announced.Remove(node);
        }
    }

    /// <summary>A step from one image to the next.</summary>
    public void Observe(MetadataDelta delta)
    {
        lock (_lock)
        {
            var failovers = delta.NodesChanged ? Begin_NeedsLock(delta) : [];
            Failover? unseen = null;
            foreach (var topic in delta.ChangedTopics)
            {
                delta.Before.TryGetTopic(topic.Id, out var before);
                foreach (var partition in topic.Partitions)
                {
                    var (place, former) = ((topic.Id, partition.Index), before?.FindPartition(partition.Index)?.Leader);
                    var failover = former is { } node ? failovers.GetValueOrDefault(node) : null;
                    failover?.HasLed = true;
                    if (partition.Leader is not null)
                    {
                        End_NeedsLock(place);
                    }
                    else if (!_waiting.ContainsKey(place))
                    {
                        Wait_NeedsLock(place, failover ?? (unseen ??= new Failover(LossCause.Unseen, time.GetTimestamp())));
                    }
                }
            }

            foreach (var topic in delta.DeletedTopics)
            {
                foreach (var partition in topic.Partitions)
                {
                    End_NeedsLock((topic.Id, partition.Index));
                }
            }

            // Others lead all of it by the very entry by which it ended.
            foreach (var failover in failovers.Values.Where(failover => failover is { HasLed: true, Waiting: 0 }))
            {
                recovered(failover.Cause, TimeSpan.Zero);
            }
        }
    }

    /// <summary>For each cause how many partitions have no leader now, and how long the first of them has had none.</summary>
    public IReadOnlyDictionary<LossCause, (int Partitions, TimeSpan Age)> Waiting()
    {
        var found = Enum.GetValues<LossCause>().ToDictionary(cause => cause, _ => (Partitions: 0, Age: TimeSpan.Zero));
        lock (_lock)
        {
            foreach (var failover in _waiting.Values)
            {
                ref var waiting = ref CollectionsMarshal.GetValueRefOrNullRef(found, failover.Cause);
                var age = time.GetElapsedTime(failover.Began);
                waiting = (waiting.Partitions + 1, age > waiting.Age ? age : waiting.Age);
            }
        }

        return found;
    }

    /// <summary>The incarnations that live no longer, by their nodes.</summary>
    private Dictionary<NodeId, Failover> Begin_NeedsLock(MetadataDelta delta)
    {
        var ended = new Dictionary<NodeId, Failover>();
        foreach (var node in delta.Before.LiveNodes)
        {
            if (CauseOf_NeedsLock(node, delta.After.Nodes.GetValueOrDefault(node.Id)) is { } cause)
            {
                ended.Add(node.Id, new Failover(cause, time.GetTimestamp()));
                lost(cause);
            }
        }

        return ended;
    }

    /// <summary>Why an incarnation lives no longer; null if it does.</summary>
    private LossCause? CauseOf_NeedsLock(NodeImage before, NodeImage? after)
    {
        if (after is { IsLive: true } && after.Epoch == before.Epoch)
        {
            return null;
        }

        return after?.Epoch != before.Epoch ? LossCause.Registered
            : after.State == NodeState.Stopped ? LossCause.Left
            : _announced.GetValueOrDefault(new NodeIncarnation(before.Id, before.Epoch), LossCause.Unseen);
    }

    private void Wait_NeedsLock((Guid Topic, int Partition) place, Failover failover)
    {
        _waiting.Add(place, failover);
        failover.Waiting++;
    }

    private void End_NeedsLock((Guid Topic, int Partition) place)
    {
        if (_waiting.Remove(place, out var failover) && --failover.Waiting == 0)
        {
            recovered(failover.Cause, time.GetElapsedTime(failover.Began));
        }
    }

    private sealed class Failover(LossCause cause, long began)
    {
        public LossCause Cause => cause;

        public long Began => began;

        /// <summary>Partitions of it that nobody leads yet.</summary>
        public int Waiting { get; set; }

        /// <summary>Whether the incarnation led anything.</summary>
        public bool HasLed { get; set; }
    }
}
