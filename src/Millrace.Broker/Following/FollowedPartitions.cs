using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Streams;

namespace Millrace.Broker.Following;

/// <summary>
/// The partitions that this node follows, since consumers of its rack read them here. One is made by the first of their fetches, and goes when there was none
/// for a minute, when this node leads it, or is to serve nobody any more.
/// </summary>
/// <remarks>Threading: any thread; image changes come one at a time.</remarks>
internal sealed class FollowedPartitions : IAsyncDisposable
{
    // Each has a connection to its leader.
    private const int Most = 1_000;

    // Below so many each has no more memory than if there were so many.
    private const int LeastShares = 4;

    private static readonly TimeSpan KeptIdle = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    private readonly NodeRuntime _runtime;
    private readonly BrokerIdentity _self;
    private readonly IMetadataFeed _feed;
    private readonly IStreamStore _streams;
    private readonly BufferPool _buffers;
    private readonly RackReplicas _replicas;
    private readonly LeaderLinks _links;
    private readonly RackMetrics _metrics;
    private readonly long _maxBytes;
    private readonly Lock _lock = new();
    private readonly Dictionary<(Guid Topic, int Partition), FollowedPartition> _followed = [];
    private IDisposable? _subscription;
    private bool _isSwept;
    private bool _isOver;

    /// <param name="runtime">The node's.</param>
    /// <param name="self">This broker, with its settings.</param>
    /// <param name="feed">Tells who leads what.</param>
    /// <param name="streams">Reads what is committed.</param>
    /// <param name="buffers">Lends memory for the newest batches.</param>
    /// <param name="replicas">Says who serves a rack.</param>
    /// <param name="links">The ways to leaders; owned from now on.</param>
    /// <param name="metrics">Counts what is read.</param>
    public FollowedPartitions(
        NodeRuntime runtime, BrokerIdentity self, IMetadataFeed feed, IStreamStore streams, BufferPool buffers, RackReplicas replicas, LeaderLinks links,
        RackMetrics metrics)
    {
        (_runtime, _self, _feed, _streams, _buffers, _replicas, _links, _metrics) = (runtime, self, feed, streams, buffers, replicas, links, metrics);

        // Not settable at run time, so it is looked up once.
        _maxBytes = self.Configs.Broker(feed.Image, BrokerConfigs.FollowedMaxBytes).AsLong();
    }

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _followed.Count;
            }
        }
    }

    /// <summary>Begins to follow the cluster's image.</summary>
    public void Start() => _subscription = _feed.Subscribe(Apply);

    /// <summary>A partition that another node leads, for a consumer of a rack; null if that one is to ask somebody else.</summary>
    /// <param name="topic">The topic.</param>
    /// <param name="index">The partition.</param>
    /// <param name="rack">The consumer's.</param>
    /// <param name="listener">By which it came.</param>
    /// <param name="offset">What it wants.</param>
    public FollowedPartition? Find(TopicImage topic, int index, string rack, ListenerName listener, long offset)
    {
        var key = (topic.Id, index);
        if (_feed.Image.Nodes.GetValueOrDefault(_self.Node)?.Rack != rack)
        {
            return null;
        }

        lock (_lock)
        {
            if (_followed.TryGetValue(key, out var known))
            {
                known.Use();
                return known;
            }

            // Under the lock that changes of the image wait for: none is missed.
            var image = _feed.Image;
            if (_isOver || _followed.Count == Most || image.FindPartition(topic.Id, index) is not { Leader: { } leader } partition || leader == _self.Node
                || IsExcused(image)
                || _replicas.Choose(image, topic.Id, partition, rack, listener) != _self.Node)
            {
                return null;
            }

            var id = new TopicIdPartition(topic.Id, topic.Name, partition.Index);
            var tail = new FollowedTail(_buffers);
            tail.Reset(offset);
            var followed = new FollowedPartition(
                _runtime, id, LeaderOf(image, partition), _streams.FindCommitted(partition.Stream), tail, _links, _metrics);
            _followed.Add(key, followed);
            if (!_isSwept)
            {
                _isSwept = true;
                _ = _runtime.Spawn("followed-partitions-sweep", SweepAsync);
            }

            _ = _runtime.Spawn($"follow {id}", new TailPoll(_runtime, followed, _links, _streams, partition.Stream, Share).RunAsync);
            return followed;
        }
    }

    /// <summary>Waits until the leader of each has told anything, or the time is up: what they say then is the answer.</summary>
    public async ValueTask WhenHeardAsync(IEnumerable<FollowedPartition?> partitions, TimeSpan patience, CancellationToken token)
    {
        List<FollowedPartition>? unheard = null;
        foreach (var partition in partitions)
        {
            if (partition is { Word: null })
            {
                (unheard ??= []).Add(partition);
            }
        }

        if (unheard is null)
        {
            return;
        }

        using var limit = new CancellationTokenSource(patience, _runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        try
        {
            foreach (var partition in unheard)
            {
                await partition.WhenHeardAsync(either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Follows nothing any more: whoever reads here is sent to the leaders.</summary>
    public void End()
    {
        _subscription?.Dispose();
        lock (_lock)
        {
            _isOver = true;
        }

        End(static _ => true);
    }

    public async ValueTask DisposeAsync()
    {
        End();
        await _links.DisposeAsync();
    }

    private long Share() => _maxBytes / Math.Max(LeastShares, Count);

    private void Apply(MetadataDelta delta)
    {
        var image = delta.After;
        if (IsExcused(image))
        {
            End(static _ => true);
            return;
        }

        if (delta.ChangedTopics.IsEmpty && delta.DeletedTopics.IsEmpty && !delta.NodesChanged)
        {
            return;
        }

        End(followed =>
        {
            if (image.FindPartition(followed.Id.TopicId, followed.Id.Partition) is not { } known || known.Leader == _self.Node)
            {
                return true;
            }

            followed.LedBy(LeaderOf(image, known));
            return false;
        });
    }

    private async Task SweepAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(SweepInterval, _runtime.Time, stopping);
            End(static followed => followed.Idle > KeptIdle);
        }
    }

    private void End(Func<FollowedPartition, bool> isOver)
    {
        List<FollowedPartition> ended = [];
        lock (_lock)
        {
            foreach (var (key, followed) in _followed)
            {
                if (isOver(followed))
                {
                    ended.Add(followed);
                    _followed.Remove(key);
                }
            }
        }

        ended.ForEach(static followed => followed.End());
    }

    /// <summary>This node serves nobody: it is drained, or over.</summary>
    private bool IsExcused(MetadataImage image) => _self.IsOver(image) || BrokerDuties.IsDrained(image, _self.Node);

    private static FollowedLeader LeaderOf(MetadataImage image, PartitionImage partition) => new(
        partition.Leader is { } leader && image.Nodes.TryGetValue(leader, out var node) && node.IsLive ? node.Internal : null, partition.LeaderEpoch);
}
