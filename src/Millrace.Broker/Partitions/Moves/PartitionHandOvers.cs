using Microsoft.Extensions.Logging;
using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>
/// The partitions that this node leads and that go to others, or to another WAL of this one: has them handed over, group by group. While they serve, what they
/// hold is uploaded, until little is left; then they stop serving, what is left is uploaded, and in the entry that closes their streams they have their next
/// leaders.
/// </summary>
/// <remarks>
/// A partition whose topic asks for another of this node's WALs goes the same way, and this node is its next leader: what is left is uploaded out of the one
/// WAL, and what comes next lies in the other (<see cref="TopicWal"/>). That is no move, and none is told of.
/// A plan that has ended before a partition stops serving is not followed; one that ends after that gives the partition back to this node at a higher epoch.
/// Where what is left cannot be uploaded soon, since the store does not answer, partitions are taken back: until the registry is asked nobody can have them.
/// Coordinators' are not: their groups have been resigned, and are loaded at another epoch only.
/// How large a group is, and how soon the next follows, <see cref="HandOverPace"/> says, anew for each. Coordinators' partitions go before the others.
/// Threading: any thread; one group goes at a time, so that no more than a group's requests are ever parked.
/// </remarks>
internal sealed class PartitionHandOvers(
    NodeRuntime runtime, IStreamStore store, IMetadataFeed feed, BrokerIdentity self, MoveLog moves, HandOverMetrics metrics)
{
    // The first takes what there is, each other what has come during the one before. Where none is short, the store is slow, and more would not help.
    private const int MostUploads = 3;

    // Of one that was taken back, before it is tried again.
    private static readonly TimeSpan PauseAfterTakingBack = TimeSpan.FromSeconds(5);

    // Of a group that a line of the log tells of.
    private const int MostNamed = 10;

    // What came during so short an upload is written in about the same time again.
    private static readonly TimeSpan ShortUpload = TimeSpan.FromMilliseconds(20);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<PartitionHandOvers>();
    private readonly HandOverLine _coordinators = new(new HandOverPace(runtime, feed, self, keepsRate: false));
    private readonly HandOverLine _others = new(new HandOverPace(runtime, feed, self, keepsRate: true));
    private readonly AsyncGate _turn = new(1);
    private readonly Lock _lock = new();
    // In line, being handed over, or at rest after that: each once.
    private readonly HashSet<Partition> _known = [];
    private readonly NextLeaderWarmth _warmth = new(runtime, store, feed, self);

    public void Start()
    {
        runtime.Spawn("coordinator-hand-overs", token => RunAsync(_coordinators, token));
        runtime.Spawn("partition-hand-overs", token => RunAsync(_others, token));
    }

    /// <summary>
    /// A partition is to leave, or (to this node) to change its WAL, when it is open; one that can be open no more stays, and nothing is told of it. It may be
    /// said again.
    /// </summary>
    public void Add(Partition partition, NodeId to)
    {
        if (partition.Phase is PartitionPhase.Lost or PartitionPhase.Closed)
        {
            return;
        }

        if (to != self.Node)
        {
            moves.Plan(partition, to);
        }

        lock (_lock)
        {
            if (!_known.Add(partition))
            {
                return;
            }
        }

        var line = NextLeaderWarmth.IsFor(partition) ? _coordinators : _others;
        if (partition.Phase == PartitionPhase.Open && line == _others)
        {
            line.Add(partition);
        }
        else
        {
            _ = runtime.Spawn($"hand-over of {partition.Id}", async token =>
            {
                // Whether or not it has opened: one that will never be open is passed over.
                await partition.WhenOpenAsync(token);
                if (line == _coordinators)
                {
                    await _warmth.WaitAsync(partition, token);
                }

                line.Add(partition);
            });
        }
    }

    private async Task RunAsync(HandOverLine line, CancellationToken stopping)
    {
        while (true)
        {
            await line.WaitAsync(stopping);
            await _turn.EnterAsync(stopping);
            var began = runtime.Time.GetTimestamp();
            long bytes;
            try
            {
                var group = line.Take(IsStillToGo);
                bytes = await UploadAsync(group, stopping);
                await HandOverAsync(group, line == _coordinators ? Timeout.InfiniteTimeSpan : PatienceWith(group), stopping);
            }
            finally
            {
                _turn.Exit();
            }

            await line.Pace.WaitAsync(bytes, began, stopping);
        }
    }

    /// <summary>Forgets one that is not.</summary>
    private bool IsStillToGo(Partition partition)
    {
        if (NextOf(feed.Image, partition) is not null)
        {
            return true;
        }

        Forget(partition);
        return false;
    }

    /// <summary>It was tried, or is not to go. If it is planned, and can still go, it is in line again.</summary>
    private void Forget(Partition partition)
    {
        lock (_lock)
        {
            // First: whoever is planned again from here on comes again, too.
            _known.Remove(partition);
        }

        // Whoever was planned again just before has been taken for one that waits already.
        if (NextOf(feed.Image, partition) is { } next)
        {
            Add(partition, next);
        }
    }

    /// <summary>Uploads what they hold while they serve. Returns how much that was.</summary>
    private async Task<long> UploadAsync(List<Partition> group, CancellationToken token)
    {
        group.ForEach(moves.Upload);
        var sum = 0L;
        for (var i = 0; i < MostUploads && group.Count > 0; i++)
        {
            var began = runtime.Time.GetTimestamp();
            var parts = group.ConvertAll(partition => (Partition: partition, Goal: partition.Appended, Bytes: partition.UncommittedBytes));
            var isAll = false;
            try
            {
                await store.UploadAsync([.. parts.Select(part => part.Goal).OfType<UploadGoal>()], token);
                isAll = true;
            }
            catch (Exception failure) when (failure is StreamException or OutOfMemoryException)
            {
                // One of them has ended, and says so itself; the others were waited for. Or there was no memory: they go with what they have.
            }

            foreach (var (partition, _, bytes) in parts.Where(part => part.Partition.Phase == PartitionPhase.Open))
            {
                // Else no more than what is known to be: what was appended meanwhile hides as much of it.
                var uploaded = isAll ? bytes : Math.Max(0, bytes - partition.UncommittedBytes);
                moves.AddUploaded(partition, uploaded);
                sum += uploaded;
            }

            if (runtime.Time.GetElapsedTime(began) < ShortUpload)
            {
                break;
            }
        }

        return sum;
    }

    private async Task HandOverAsync(List<Partition> group, TimeSpan patience, CancellationToken token)
    {
        var image = feed.Image;
        var began = runtime.Time.GetTimestamp();
        var going = new List<(Partition Partition, IStream Stream)>();
        foreach (var partition in group)
        {
            var next = NextOf(image, partition);
            if (next is null)
            {
                Forget(partition);
            }
            else if (partition.BeginHandingOver(patience, changesWal: next == self.Node) is { } stream)
            {
                moves.Stop(partition, stream.UncommittedBytes);
                going.Add((partition, stream));
            }
            else
            {
                moves.Lose(partition);
                Forget(partition);
            }
        }

        if (going.Count == 0)
        {
            return;
        }

        using var over = new CancellationTokenSource(patience, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, over.Token);
        bool[] ended = [];
        try
        {
            await store.HandOverAsync([.. going.Select(one => one.Stream)], either.Token);
        }
        catch (Exception failure) when (failure is StreamException or OperationCanceledException or OutOfMemoryException)
        {
            // Of one of them, which meets the failure again; or there was no memory to do them together, or no time.
        }
        finally
        {
            ended = await Task.WhenAll(going.Select(one => one.Partition.HandOverAsync(one.Stream, either.Token, token)));
        }

        Tell([.. going.Where((_, i) => ended[i]).Select(one => one.Partition)], runtime.Time.GetElapsedTime(began));
        GoOn([.. going.Where((_, i) => !ended[i]).Select(one => one.Partition)], patience);
    }

    /// <summary>As long as the one of them asks for that has been taken back the most: it is the same store that all of them wait for.</summary>
    private static TimeSpan PatienceWith(List<Partition> group) => group.Select(partition => partition.HandOverPatience).Append(TimeSpan.Zero).Max();

    /// <summary>Those that were taken back serve, and are tried again if they are planned after a rest, whatever is said of them meanwhile.</summary>
    private void GoOn(List<Partition> takenBack, TimeSpan patience)
    {
        if (takenBack.Count == 0)
        {
            return;
        }

        PartitionMessages.TakenBack(_logger, takenBack.Count, patience.TotalSeconds);
        foreach (var partition in takenBack)
        {
            moves.TakeBack(partition);

            // Its plan may have ended while it served nobody.
            moves.Follow(partition, Find(feed.Image, partition));
        }

        _ = runtime.Spawn("hand-overs again", async token =>
        {
            await Task.Delay(PauseAfterTakingBack, runtime.Time, token);
            takenBack.ForEach(Forget);
        });
    }

    /// <summary>Of those that have gone, or come back. What was lost on the way says so itself.</summary>
    private void Tell(List<Partition> tried, TimeSpan stop)
    {
        var image = feed.Image;
        var gone = new List<string>();
        var toOthers = 0;
        foreach (var partition in tried)
        {
            // As each image did when it came, unless the last of them is just being followed.
            var now = Find(image, partition);
            moves.Follow(partition, now);
            moves.Lose(partition);
            Forget(partition);
            if (now?.Leader is { } leader && now.LeaderEpoch != partition.LeaderEpoch)
            {
                gone.Add(
                    leader != self.Node ? $"{partition.Id} to node {leader}"
                    : partition.ChangedWal ? $"{partition.Id} to another WAL of this node"
                    : $"{partition.Id} to this node again");
                toOthers += leader == self.Node ? 0 : 1;
            }
        }

        if (gone.Count > 0)
        {
            metrics.HandedOver(toOthers, stop);
            PartitionMessages.HandedOver(
                _logger, gone.Count, stop.TotalMilliseconds, string.Join(", ", gone.Take(MostNamed)) + (gone.Count > MostNamed ? ", …" : ""));
        }
    }

    /// <summary>Who is to lead it next: this node where it is to lie in another of its WALs. Null where it is not to go.</summary>
    private NodeId? NextOf(MetadataImage image, Partition partition)
    {
        if (!image.TryGetTopic(partition.Id.TopicId, out var topic)
            || topic.FindPartition(partition.Id.Partition) is not { } known || known.LeaderEpoch != partition.LeaderEpoch)
        {
            return null;
        }

        return known.Moves ? known.PlannedTo
            : known.Leader == self.Node && partition.LiesElsewhereThan(TopicWal.Of(image, topic, self)) ? self.Node
            : null;
    }

    private static PartitionImage? Find(MetadataImage image, Partition partition) => image.FindPartition(partition.Id.TopicId, partition.Id.Partition);
}
