using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Errors;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions.Moves;
using Millrace.Broker.Partitions.Producers;
using Millrace.Broker.Membership;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Broker.Partitions;

/// <summary>
/// The partitions that this node leads. Follows the cluster's image: makes a partition when this node becomes its leader,
/// closes it when it is another's, gone, or led at a higher epoch, and has it handed over when it is to be another's, or to lie in another WAL.
/// </summary>
/// <remarks>
/// Threading: lookups from any thread, without a lock; image changes come one at a time. Partitions open on their first
/// request; the rest open in the background, so that a start does not wait for thousands of them: very many at once, since those that open together
/// share their round trips to the controller and their reads of the store.
/// </remarks>
internal sealed class PartitionTable : IAsyncDisposable
{
    private const int OpeningsAtOnce = 8_192;

    // Opening takes milliseconds, unless the store does not answer. Then the client had better hear of it and come again.
    private static readonly TimeSpan OpeningPatience = TimeSpan.FromSeconds(5);

    private readonly NodeRuntime _runtime;
    private readonly IStreamStore _store;
    private readonly IMetadataFeed _feed;
    private readonly BrokerIdentity _self;
    private readonly ILogger _logger;

    // Of each topic the partitions led here, by index; null elsewhere. Arrays are replaced, never changed.
    private readonly ConcurrentDictionary<Guid, Partition?[]> _topics = new();
    private readonly Channel<Partition> _unopened = Channel.CreateUnbounded<Partition>();
    private readonly HandOverMetrics _handOverMetrics = new();
    private readonly MoveLog _moves;
    private readonly PartitionHandOvers _handOvers;
    private readonly Lock _lock = new();
    private readonly List<Task> _closing = [];

    // Led here no more, and not closed yet: the last of each.
    private readonly Dictionary<TopicIdPartition, Partition> _ending = [];
    private IDisposable? _subscription;
    private bool _closed;

    /// <param name="runtime">The node's.</param>
    /// <param name="store">Where the streams are.</param>
    /// <param name="feed">Tells which partitions this node leads.</param>
    /// <param name="self">This broker, and how topics are set on it.</param>
    public PartitionTable(NodeRuntime runtime, IStreamStore store, IMetadataFeed feed, BrokerIdentity self)
    {
        _runtime = runtime;
        _store = store;
        _feed = feed;
        _self = self;
        _logger = runtime.Loggers.CreateLogger<PartitionTable>();
        _moves = new MoveLog(runtime.Time, self.Node);
        _handOvers = new PartitionHandOvers(runtime, store, feed, self, _moves, _handOverMetrics);

        // Not settable at run time, so it is looked up once.
        Producers = new ProducerCensus(self.Configs.Broker(feed.Image, BrokerConfigs.MaxProducers).AsInt());
    }

    /// <summary>The idempotent producers of all partitions led here, in number.</summary>
    public ProducerCensus Producers { get; }

    /// <summary>Why the object store, where all partitions' records go, cannot be relied on at present; null if nothing speaks against it.</summary>
    public StoreTrouble? StoreTrouble => _store.StoreTrouble;

    /// <summary>The newest image known here.</summary>
    public MetadataImage Image => _feed.Image;

    /// <summary>The moves that this node takes part in, and the last that have ended.</summary>
    public IReadOnlyList<MoveProgress> Moves => _moves.All();

    /// <summary>Begins to follow the cluster's image. Call once, when this incarnation has been assigned its partitions.</summary>
    public void Start()
    {
        _subscription = _feed.Subscribe(Apply);
        _runtime.Spawn("partition-opener", OpenAsync);
        _handOvers.Start();
    }

    public PartitionLookup Find(string topic, int partition) =>
        Image.TryGetTopic(topic, out var image) ? Find(image, partition) : new PartitionLookup(PartitionError.UnknownPartition, null, null);

    public PartitionLookup Find(TopicImage topic, int partition)
    {
        if (topic.FindPartition(partition) is not { } known)
        {
            return new PartitionLookup(PartitionError.UnknownPartition, null, null);
        }

        return Find(topic.Id, partition) is { } found
            ? new PartitionLookup(PartitionError.None, found, known)
            : new PartitionLookup(PartitionError.NotLeader, null, known);
    }

    /// <summary>Waits until each partition can be read, or never will be (again), or the time is up: what they say then is the answer.</summary>
    /// <param name="asked">Topics and partitions as a request names them, those that are not here among them.</param>
    /// <param name="token">Ends the wait.</param>
    public ValueTask WhenOpenAsync(IEnumerable<(string Topic, int Partition)> asked, CancellationToken token) =>
        WhenOpenAsync(asked.Select(one => Find(one.Topic, one.Partition).Partition), OpeningPatience, token);

    /// <summary>As above, for a request that waits at least so long by itself.</summary>
    public async ValueTask WhenOpenAsync(IEnumerable<Partition?> partitions, TimeSpan patience, CancellationToken token)
    {
        List<Partition>? unopened = null;
        foreach (var partition in partitions)
        {
            if (partition is { ParksReads: true })
            {
                (unopened ??= []).Add(partition);
            }
        }

        if (unopened is null)
        {
            return;
        }

        using var limit = new CancellationTokenSource(patience, _runtime.Time);
        using var abandoned = token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), limit);

        // All at once: each call begins the opening if nobody has.
        var waits = unopened.ConvertAll(partition => partition.WhenOpenAsync(limit.Token).AsTask());
        try
        {
            await Task.WhenAll(waits);
        }
        catch (OperationCanceledException)
        {
            token.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The partitions led at this moment, by topic and index.</summary>
    public IReadOnlyList<Partition> Led() =>
        [.. _topics.Values.SelectMany(led => led.OfType<Partition>()).OrderBy(led => led.Id.Topic, StringComparer.Ordinal).ThenBy(led => led.Id.Partition)];

    /// <summary>The same in no order, and without a list of them: there may be tens of thousands.</summary>
    public IEnumerable<Partition> EachLed()
    {
        foreach (var (_, led) in _topics)
        {
            foreach (var partition in led)
            {
                if (partition is not null)
                {
                    yield return partition;
                }
            }
        }
    }

    /// <summary>Stops following and closes every partition: appends under way are finished and tails uploaded, all together.</summary>
    public async Task CloseAsync(CancellationToken token)
    {
        _subscription?.Dispose();
        IReadOnlyList<Partition> led;
        lock (_lock)
        {
            _closed = true;
            led = Led();
            _topics.Clear();
        }

        _unopened.Writer.TryComplete();
        await Task.WhenAll([.. _closing, CloseTogetherAsync(led, token)]);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(CancellationToken.None);
        _handOverMetrics.Dispose();
    }

    private void Apply(MetadataDelta delta)
    {
        lock (_lock)
        {
            // One that is over is about to be put down, with all connections to it. Whoever it sent away first would look for a leader that is not there
            // yet; and what its node leads from now on is led by another incarnation.
            if (_closed || _self.IsOver(delta.After))
            {
                return;
            }

            foreach (var topic in delta.DeletedTopics)
            {
                if (_topics.TryRemove(topic.Id, out var led))
                {
                    List<Partition> former = [.. led.OfType<Partition>()];
                    former.ForEach(partition => _moves.Follow(partition, null));
                    Close(former);
                }
            }

            foreach (var topic in delta.ChangedTopics)
            {
                Apply(delta, topic);
            }

            if (delta.BrokerConfigsChanged)
            {
                Reconfigure(delta.After);
            }
        }
    }

    private void Apply(MetadataDelta delta, TopicImage topic)
    {
        var image = delta.After;
        if (!topic.Partitions.Exists(partition => partition.Leader == _self.Node) && !_topics.ContainsKey(topic.Id))
        {
            return;
        }

        var settings = TopicSettings.Of(_self.Configs, image, topic);
        var wal = TopicWal.Of(image, topic, _self);
        if (TopicWal.MissingFor(image, topic, _self) is { } missing && topic.Partitions.Exists(partition => partition.Leader == _self.Node))
        {
            PartitionMessages.WalIsMissing(_logger, topic.Name, WalKindName.Of(missing));
        }

        var partitions = new Partition?[topic.Partitions.Count];
        var changes = new LedChanges();
        foreach (var known in topic.Partitions)
        {
            partitions[known.Index] = Follow(delta.Before, topic, known, settings, wal, changes);
        }

        // Requests find the new ones before the old ones begin to refuse them.
        _topics[topic.Id] = partitions;

        // Before they close: one that is led by another is done, and was not lost.
        changes.Former.ForEach(one => _moves.Follow(one.Partition, one.Now));
        Close(changes.Former.ConvertAll(one => one.Partition));
        changes.Started.ForEach(next => _unopened.Writer.TryWrite(next));
        changes.Going.ForEach(one => _handOvers.Add(one.Partition, one.To));
        _moves.Come(changes.Coming);
    }

    /// <summary>What an image means for one partition. Returns the one that is led here from now on, if it is.</summary>
    private Partition? Follow(MetadataImage before, TopicImage topic, PartitionImage known, TopicSettings settings, WalKind? wal, LedChanges changes)
    {
        var led = Find(topic.Id, known.Index);
        if (known.Leader == _self.Node && led?.LeaderEpoch == known.LeaderEpoch)
        {
            led.Settings = settings;
            _moves.Follow(led, known);
        }
        else
        {
            if (led is not null)
            {
                changes.Former.Add((led, known));
            }

            if (known.Leader != _self.Node)
            {
                return null;
            }

            var id = new TopicIdPartition(topic.Id, topic.Name, known.Index);

            // It may have gone elsewhere and come back before it was closed here.
            led = new Partition(_runtime, _store, id, known, settings, Producers, led ?? _ending.GetValueOrDefault(id));
            changes.Started.Add(led);
            if (before.FindPartition(topic.Id, known.Index) is { Moves: true, Leader: { } former } moving && former != _self.Node)
            {
                changes.Coming.Add((led, moving.LeaderEpoch, former));
            }
        }

        if (known is { Moves: true, PlannedTo: { } to })
        {
            changes.Going.Add((led, to));
        }
        else if (led.LiesElsewhereThan(wal))
        {
            changes.Going.Add((led, _self.Node));
        }

        return led;
    }

    private void Reconfigure(MetadataImage image)
    {
        foreach (var (_, topic) in image.Topics)
        {
            if (_topics.TryGetValue(topic.Id, out var led))
            {
                var settings = TopicSettings.Of(_self.Configs, image, topic);
                foreach (var partition in led.OfType<Partition>())
                {
                    partition.Settings = settings;
                }
            }
        }
    }

    private Partition? Find(Guid topicId, int partition) =>
        _topics.TryGetValue(topicId, out var led) && (uint)partition < (uint)led.Length ? led[partition] : null;

    /// <summary>The store closes their streams at once, so that thousands share a few uploads; then each partition says how that went for it.</summary>
    private async Task CloseTogetherAsync(IReadOnlyList<Partition> partitions, CancellationToken token)
    {
        try
        {
            var streams = await Task.WhenAll(partitions.Select(partition => partition.BeginClosingAsync(token)));
            await _store.CloseAsync([.. streams.OfType<IStream>()], token);
        }
        catch (Exception failure) when (failure is StreamException or OperationCanceledException)
        {
            // Of one of them; it meets the failure again.
        }
        finally
        {
            // Whatever else it was: nobody waits for a partition that closes, because of what another one failed of.
            await Task.WhenAll(partitions.Select(partition => partition.CloseAsync(token)));
        }
    }

    private void Close(List<Partition> partitions)
    {
        _closing.RemoveAll(task => task.IsCompleted);
        foreach (var partition in partitions)
        {
            _ending[partition.Id] = partition;
            _closing.Add(_runtime.Spawn($"close {partition.Id}", token => CloseAsync(partition, token)));
        }
    }

    private async Task CloseAsync(Partition partition, CancellationToken token)
    {
        try
        {
            await partition.CloseAsync(token);
        }
        finally
        {
            lock (_lock)
            {
                if (_ending.GetValueOrDefault(partition.Id) == partition)
                {
                    _ending.Remove(partition.Id);
                }
            }
        }
    }

    private async Task OpenAsync(CancellationToken stopping)
    {
        var places = new AsyncGate(OpeningsAtOnce);

        // Not ReadAllAsync: it continues on the thread pool, where the simulator cannot follow.
        while (await _unopened.Reader.WaitToReadAsync(stopping))
        {
            while (_unopened.Reader.TryRead(out var partition))
            {
                await places.EnterAsync(stopping);
                _ = _runtime.Spawn("partition-opening", token => OpenAsync(partition, places, token));
            }
        }
    }

    private async Task OpenAsync(Partition partition, AsyncGate places, CancellationToken stopping)
    {
        try
        {
            // Whether it opened is the partition's to say, to those who ask it.
            await partition.WhenOpenAsync(stopping);

            // Its topic may have asked for another WAL since the registry opened it.
            if (Image.TryGetTopic(partition.Id.TopicId, out var topic) && partition.LiesElsewhereThan(TopicWal.Of(Image, topic, _self)))
            {
                _handOvers.Add(partition, _self.Node);
            }
        }
        finally
        {
            places.Exit();
        }
    }
}
