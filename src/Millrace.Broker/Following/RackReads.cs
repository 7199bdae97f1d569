using Microsoft.AspNetCore.Connections;
using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Metadata.Image;
using Millrace.Network.Access;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;

namespace Millrace.Broker.Following;

/// <summary>How consumers come to read in their own rack: those that this broker leads partitions for are sent there, others are served here.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class RackReads : IAsyncDisposable
{
    private readonly NodeRuntime _runtime;
    private readonly IMetadataFeed _feed;
    private readonly RackReplicas _replicas;
    private readonly SentConsumers _sent;

    /// <param name="runtime">The node's.</param>
    /// <param name="self">This broker, with its settings.</param>
    /// <param name="feed">Tells about the cluster.</param>
    /// <param name="streams">Reads what is committed.</param>
    /// <param name="buffers">Lends memory for what is followed.</param>
    /// <param name="peers">The way to other nodes.</param>
    public RackReads(
        NodeRuntime runtime, BrokerIdentity self, IMetadataFeed feed, IStreamStore streams, BufferPool buffers, IConnectionFactory peers)
    {
        (_runtime, _feed) = (runtime, feed);
        _replicas = new RackReplicas(self, feed);
        _sent = new SentConsumers(runtime.Time);
        Clients = new ClientRacks(self, feed);
        Followed = new FollowedPartitions(runtime, self, feed, streams, buffers, _replicas, new LeaderLinks(runtime, peers, self.Node), Metrics);
        Metrics.Observe(() => Followed.Count);
    }

    /// <summary>Which rack a client is in.</summary>
    public ClientRacks Clients { get; }

    /// <summary>What is read here, and led elsewhere.</summary>
    public FollowedPartitions Followed { get; }

    /// <summary>Counts what passes.</summary>
    public RackMetrics Metrics { get; } = new();

    /// <summary>The broker that a consumer is to read a partition from which this one leads; null where it is this one.</summary>
    public NodeId? Send(ClientConnection consumer, MetadataImage image, Guid topic, PartitionImage partition, string rack) =>
        _replicas.Choose(image, topic, partition, rack, consumer.Listener) is { } broker && _sent.TrySend(consumer, topic, partition.Index) ? broker : null;

    /// <summary>Waits until an image of the cluster is so, or the time is up.</summary>
    public async ValueTask WhenAsync(Func<MetadataImage, bool> isSo, TimeSpan patience, CancellationToken token)
    {
        using var limit = new CancellationTokenSource(patience, _runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        try
        {
            await _feed.WaitAsync(isSo, either.Token);
        }
        catch (OperationCanceledException)
        {
            token.ThrowIfCancellationRequested();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Followed.DisposeAsync();
        Metrics.Dispose();
    }
}
