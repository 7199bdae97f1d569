using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Metrics;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;

namespace Millrace.Broker.Partitions;

/// <summary>
/// The partitions that this node leads and that are planned to others: has them handed over, group by group. While they serve, what they hold is uploaded,
/// until little is left; then they stop serving, what is left is uploaded, and in the entry that closes their streams they have their next leaders.
/// </summary>
/// <remarks>
/// A plan that has ended before a partition stops serving is not followed; one that ends after that gives the partition back to this node at a higher epoch.
/// Threading: any thread; one loop moves one group at a time, so that no more than a group's requests are ever parked.
/// </remarks>
/// <param name="runtime">The node's.</param>
/// <param name="store">Where the streams are.</param>
/// <param name="feed">Tells which partitions are planned to others.</param>
/// <param name="self">This node.</param>
/// <param name="metrics">Hear how long partitions stop.</param>
/// <param name="fewRecords">So many of a coordinator's are read at once: nobody is waited for who has to.</param>
internal sealed class PartitionHandOvers(NodeRuntime runtime, IStreamStore store, IMetadataFeed feed, NodeId self, HandOverMetrics metrics, int fewRecords)
{
    private const int MostAtOnce = 128;

    // The first takes what there is, each other what has come during the one before. Where none is short, the store is slow, and more would not help.
    private const int MostUploads = 3;

    // Of a group that a line of the log tells of.
    private const int MostNamed = 10;

    // What came during so short an upload is written in about the same time again.
    private static readonly TimeSpan ShortUpload = TimeSpan.FromMilliseconds(20);

    // A million committed offsets are read in a second or two.
    private static readonly TimeSpan WarmPatience = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<PartitionHandOvers>();
    private readonly Channel<Partition> _ready = Channel.CreateUnbounded<Partition>();
    private readonly Lock _lock = new();
    private readonly HashSet<Partition> _known = [];

    public void Start() => runtime.Spawn("partition-hand-overs", RunAsync);

    /// <summary>A partition is to leave, when it is open. It may be said again.</summary>
    public void Add(Partition partition)
    {
        lock (_lock)
        {
            if (!_known.Add(partition))
            {
                return;
            }
        }

        if (partition.Phase == PartitionPhase.Open && partition.Id.Topic != InternalTopics.ConsumerOffsets)
        {
            _ready.Writer.TryWrite(partition);
        }
        else
        {
            _ = runtime.Spawn($"hand-over of {partition.Id}", async token =>
            {
                // Whether or not it has opened: one that will never be open is passed over.
                await partition.WhenOpenAsync(token);
                if (partition.Id.Topic == InternalTopics.ConsumerOffsets)
                {
                    await WaitUntilWarmAsync(partition, token);
                }

                _ready.Writer.TryWrite(partition);
            });
        }
    }

    /// <summary>
    /// Until the next leader of a coordinator's partition has read what there is of it: from its stop on, nobody answers its groups before that is done.
    /// </summary>
    private async Task WaitUntilWarmAsync(Partition partition, CancellationToken token)
    {
        if (partition.Appended is not { } goal || goal.EndOffset - partition.LogStartOffset < fewRecords)
        {
            return;
        }

        using var patience = new CancellationTokenSource(WarmPatience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, patience.Token);
        try
        {
            await store.UploadAsync([goal], either.Token);
            await feed.WaitAsync(
                image => !IsToGo(image, partition) || image.FindPartition(partition.Id.TopicId, partition.Id.Partition)!.WarmTo >= goal.EndOffset,
                either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            PartitionMessages.NextLeaderIsCold(_logger, partition.Id, WarmPatience.TotalSeconds);
        }
        catch (Exception failure) when (failure is StreamException or OutOfMemoryException)
        {
            // As when it is uploaded with others, below: who ended says so, and what could not be uploaded now is when it stops.
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (await _ready.Reader.WaitToReadAsync(stopping))
        {
            var group = new List<Partition>();
            while (group.Count < MostAtOnce && _ready.Reader.TryRead(out var partition))
            {
                group.Add(partition);
            }

            await UploadAsync(group, stopping);
            await HandOverAsync(group, stopping);
        }
    }

    /// <summary>Uploads what they hold while they serve.</summary>
    private async Task UploadAsync(List<Partition> group, CancellationToken token)
    {
        for (var i = 0; i < MostUploads; i++)
        {
            var began = runtime.Time.GetTimestamp();
            try
            {
                await store.UploadAsync([.. group.Select(partition => partition.Appended).OfType<UploadGoal>()], token);
            }
            catch (Exception failure) when (failure is StreamException or OutOfMemoryException)
            {
                // One of them has ended, and says so itself; the others were waited for. Or there was no memory: they go with what they have.
            }

            if (runtime.Time.GetElapsedTime(began) < ShortUpload)
            {
                return;
            }
        }
    }

    private async Task HandOverAsync(List<Partition> group, CancellationToken token)
    {
        lock (_lock)
        {
            // First: whoever is planned again from here on comes again, too.
            _known.ExceptWith(group);
        }

        var image = feed.Image;
        var began = runtime.Time.GetTimestamp();
        var going = new List<(Partition Partition, IStream Stream)>();
        foreach (var partition in group.Where(partition => IsToGo(image, partition)))
        {
            if (partition.BeginHandingOver() is { } stream)
            {
                going.Add((partition, stream));
            }
        }

        if (going.Count == 0)
        {
            return;
        }

        try
        {
            await store.HandOverAsync([.. going.Select(one => one.Stream)], token);
        }
        catch (Exception failure) when (failure is StreamException or OperationCanceledException or OutOfMemoryException)
        {
            // Of one of them, which meets the failure again; or there was no memory to do them together.
        }
        finally
        {
            await Task.WhenAll(going.Select(one => one.Partition.HandOverAsync(one.Stream, token)));
        }

        Tell(going.ConvertAll(one => one.Partition), runtime.Time.GetElapsedTime(began));
    }

    /// <summary>Of those that have gone. What was lost on the way says so itself, and what came back to this node has not gone.</summary>
    private void Tell(List<Partition> tried, TimeSpan stop)
    {
        var image = feed.Image;
        var gone = tried
            .Select(partition => (partition.Id, partition.LeaderEpoch, Now: image.FindPartition(partition.Id.TopicId, partition.Id.Partition)))
            .Where(one => one.Now is { Leader: { } leader } now && now.LeaderEpoch > one.LeaderEpoch && leader != self)
            .Select(one => $"{one.Id} to node {one.Now!.Leader}")
            .ToList();
        if (gone.Count > 0)
        {
            metrics.HandedOver(gone.Count, stop);
            PartitionMessages.HandedOver(
                _logger, gone.Count, stop.TotalMilliseconds, string.Join(", ", gone.Take(MostNamed)) + (gone.Count > MostNamed ? ", …" : ""));
        }
    }

    private bool IsToGo(MetadataImage image, Partition partition) =>
        image.FindPartition(partition.Id.TopicId, partition.Id.Partition) is { Moves: true } known
        && known.Leader == self && known.LeaderEpoch == partition.LeaderEpoch;
}
