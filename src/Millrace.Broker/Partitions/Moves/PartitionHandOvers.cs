using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>
/// The partitions that this node leads and that are planned to others: has them handed over, group by group. While they serve, what they hold is uploaded,
/// until little is left; then they stop serving, what is left is uploaded, and in the entry that closes their streams they have their next leaders.
/// </summary>
/// <remarks>
/// A plan that has ended before a partition stops serving is not followed; one that ends after that gives the partition back to this node at a higher epoch.
/// How large a group is, and how soon the next follows, <see cref="HandOverLimits"/> says, anew for each.
/// Threading: any thread; one loop moves one group at a time, so that no more than a group's requests are ever parked.
/// </remarks>
internal sealed class PartitionHandOvers(
    NodeRuntime runtime, IStreamStore store, IMetadataFeed feed, BrokerIdentity self, MoveLog moves, HandOverMetrics metrics)
{
    // The first takes what there is, each other what has come during the one before. Where none is short, the store is slow, and more would not help.
    private const int MostUploads = 3;

    // Of a group that a line of the log tells of.
    private const int MostNamed = 10;

    // What came during so short an upload is written in about the same time again.
    private static readonly TimeSpan ShortUpload = TimeSpan.FromMilliseconds(20);

    // A wait for the rate looks at it again so often: it may have been raised, or the broker be about to stop.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<PartitionHandOvers>();
    private readonly Channel<Partition> _ready = Channel.CreateUnbounded<Partition>();
    private readonly Lock _lock = new();
    private readonly HashSet<Partition> _known = [];
    private readonly NextLeaderWarmth _warmth = new(runtime, store, feed, self);

    private HandOverLimits Limits => HandOverLimits.Of(self, feed.Image);

    public void Start() => runtime.Spawn("partition-hand-overs", RunAsync);

    /// <summary>A partition is to leave, when it is open. It may be said again.</summary>
    public void Add(Partition partition, PartitionImage planned)
    {
        moves.Plan(partition, self.Node, planned.PlannedTo!.Value);
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
                    await _warmth.WaitAsync(partition, token);
                }

                _ready.Writer.TryWrite(partition);
            });
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (await _ready.Reader.WaitToReadAsync(stopping))
        {
            var began = runtime.Time.GetTimestamp();
            var group = TakeGroup(Limits);
            var bytes = await UploadAsync(group, stopping);
            await HandOverAsync(group, stopping);
            await PaceAsync(bytes, began, stopping);
        }
    }

    /// <summary>As many as may stop together, and hold no more than may be uploaded in a second; at least one.</summary>
    private List<Partition> TakeGroup(HandOverLimits limits)
    {
        var group = new List<Partition>();
        var bytes = 0L;
        while (group.Count < limits.Partitions && bytes < limits.BytesPerSecond && _ready.Reader.TryRead(out var partition))
        {
            group.Add(partition);
            bytes += partition.NotUploadedBytes;
        }

        return group;
    }

    /// <summary>Uploads what they hold while they serve. Returns how much that was.</summary>
    private async Task<long> UploadAsync(List<Partition> group, CancellationToken token)
    {
        Begin(group);
        var sum = 0L;
        for (var i = 0; i < MostUploads; i++)
        {
            var began = runtime.Time.GetTimestamp();
            var parts = group.ConvertAll(partition => (Partition: partition, Goal: partition.Appended, Bytes: partition.NotUploadedBytes));
            try
            {
                await store.UploadAsync([.. parts.Select(part => part.Goal).OfType<UploadGoal>()], token);
            }
            catch (Exception failure) when (failure is StreamException or OutOfMemoryException)
            {
                // One of them has ended, and says so itself; the others were waited for. Or there was no memory: they go with what they have.
            }

            foreach (var (partition, _, bytes) in parts.Where(part => part.Partition.Phase == PartitionPhase.Open))
            {
                moves.AddUploaded(partition, bytes);
                sum += bytes;
            }

            if (runtime.Time.GetElapsedTime(began) < ShortUpload)
            {
                break;
            }
        }

        return sum;
    }

    private void Begin(List<Partition> group)
    {
        var image = feed.Image;
        foreach (var partition in group)
        {
            if (IsToGo(image, partition))
            {
                // Once more: a former plan of it may have ended when this one was there already.
                moves.Plan(partition, self.Node, Find(image, partition)!.PlannedTo!.Value);
            }

            moves.Upload(partition);
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
        foreach (var partition in group)
        {
            if (IsToGo(image, partition) && partition.BeginHandingOver() is { } stream)
            {
                moves.Stop(partition, stream.NotUploadedBytes);
                going.Add((partition, stream));
            }
            else
            {
                moves.End(partition, Outcome(image, partition));
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

    /// <summary>Waits until so many bytes have taken their time, counted from when their upload began.</summary>
    private async Task PaceAsync(long bytes, long began, CancellationToken token)
    {
        while (Limits.TimeOf(bytes) - runtime.Time.GetElapsedTime(began) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left < LongestPause ? left : LongestPause, runtime.Time, token);
        }
    }

    /// <summary>Of those that have gone. What was lost on the way says so itself, and what came back to this node has not gone.</summary>
    private void Tell(List<Partition> tried, TimeSpan stop)
    {
        var image = feed.Image;
        var gone = new List<string>();
        foreach (var partition in tried)
        {
            var outcome = Outcome(image, partition);
            moves.End(partition, outcome);
            if (outcome == MovePhase.Done)
            {
                gone.Add($"{partition.Id} to node {Find(image, partition)!.Leader}");
            }
        }

        if (gone.Count > 0)
        {
            metrics.HandedOver(gone.Count, stop);
            PartitionMessages.HandedOver(
                _logger, gone.Count, stop.TotalMilliseconds, string.Join(", ", gone.Take(MostNamed)) + (gone.Count > MostNamed ? ", …" : ""));
        }
    }

    /// <summary>What became of one that is not on its way any more.</summary>
    private MovePhase Outcome(MetadataImage image, Partition partition) => Find(image, partition) switch
    {
        { Leader: { } leader } now when leader != self.Node && now.LeaderEpoch > partition.LeaderEpoch => MovePhase.Done,
        { } now when now.Leader == self.Node && !IsToGo(image, partition) => MovePhase.Cancelled,
        _ => MovePhase.Lost,
    };

    private static bool IsToGo(MetadataImage image, Partition partition) =>
        Find(image, partition) is { Moves: true } known && known.LeaderEpoch == partition.LeaderEpoch;

    private static PartitionImage? Find(MetadataImage image, Partition partition) => image.FindPartition(partition.Id.TopicId, partition.Id.Partition);
}
