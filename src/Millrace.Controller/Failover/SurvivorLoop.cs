using Millrace.Controller.Nodes;
using Millrace.Controller.State;
using Millrace.Metadata.Image;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Failover;

/// <summary>
/// What an incarnation does for others while it lives: whenever its image says that partitions of fenced incarnations are planned to it, it brings its shares
/// of their WALs. All survivors do so at once.
/// </summary>
/// <param name="runtime">Of the incarnation.</param>
/// <param name="self">The incarnation.</param>
/// <param name="recovery">Brings a share.</param>
/// <param name="losses">Says what waits for a WAL that cannot be recovered.</param>
public sealed class SurvivorLoop(NodeRuntime runtime, NodeIncarnation self, ShareTakeover recovery, AcceptedLosses losses)
{
    // Each takes the memory of an upload.
    private const int MostAtOnce = 2;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    // An operator may have brought back what was missing; reading a whole WAL again for that is worth no more.
    private static readonly TimeSpan HopelessPause = TimeSpan.FromMinutes(10);

    // What nothing will change but an operator, or a WAL that comes back with its node: tried again after a long pause.
    private readonly HashSet<(StreamId Stream, StreamEpoch Epoch)> _hopeless = [];

    // What a medium has refused that may yield, and what the image plans and the controller does not know: tried again after a pause.
    private readonly HashSet<(StreamId Stream, StreamEpoch Epoch)> _resting = [];

    // WALs that only their writers reach as a rule, which are away: each is looked for here, and again after a long pause.
    private readonly HashSet<Guid> _lookedFor = [];

    // When what is hopeless was last given another chance: a timestamp.
    private long _hopedAt = runtime.Time.GetTimestamp();

    // Why each WAL could not be recovered, as it was said.
    private readonly Dictionary<Guid, string> _said = [];

    /// <param name="metadata">Tells what is planned to whom.</param>
    /// <param name="token">Ends it; what was committed stays so.</param>
    /// <exception cref="StreamException">Fenced: this incarnation is itself not wanted any more.</exception>
    public async Task RunAsync(IMetadataFeed metadata, CancellationToken token)
    {
        var pauses = new BackOff(runtime, FirstPause, LongestPause);
        while (true)
        {
            await WaitForWorkAsync(metadata, pauses, token);
            _resting.Clear();
            if (HopeIn == TimeSpan.Zero)
            {
                _hopeless.Clear();
                _lookedFor.Clear();
                _hopedAt = runtime.Time.GetTimestamp();
            }

            try
            {
                await WorkAsync(metadata.Image, token);
            }
            catch (StreamException busy) when (busy.Error == StreamError.StorageUnavailable)
            {
                // Too much waits at the controller just now: all is looked at again.
                _lookedFor.Clear();
                await Task.Delay(pauses.Next(), runtime.Time, token);
                continue;
            }

            if (_resting.Count == 0)
            {
                pauses.Reset();
            }
        }
    }

    private async Task WorkAsync(MetadataImage image, CancellationToken token)
    {
        // What went elsewhere may be planned to this node anew.
        _hopeless.IntersectWith(PlannedIn(image));
        foreach (var wal in OrphansIn(image).Where(wal => _lookedFor.Add(wal.Id)))
        {
            await LookForAsync(image, WalOperations.Describe(wal), token);
        }

        var shares = await recovery.GetSharesAsync(token);
        // A WAL that this node's image does not know was retired since: then its share is void. First those that no machine can hold up.
        var worthwhile = shares.Where(share => image.Wals.ContainsKey(share.WalId) && !NamesOf(share).All(_hopeless.Contains));
        foreach (var some in worthwhile.OrderBy(share => !((WalKind)image.Wals[share.WalId].Kind).IsOfAll()).Chunk(MostAtOnce))
        {
            var attempts = await Task.WhenAll(some.Select(share => TryRecoverAsync(WalOperations.Describe(image.Wals[share.WalId]), share, token)));
            foreach (var (share, failure) in some.Zip(attempts))
            {
                await JudgeAsync(WalOperations.Describe(image.Wals[share.WalId]), share, failure, token);
            }
        }

        // What the image planned and no share has: it was led or deleted since, or its loss was accepted. It may be planned to this node again.
        _resting.UnionWith(PlannedIn(image).Except(shares.SelectMany(NamesOf)));
    }

    private async Task LookForAsync(MetadataImage image, WalDescriptor wal, CancellationToken token)
    {
        // Whom it concerns is told by one of those who have looked.
        if (await recovery.TryClaimAsync(wal, token) is { } reason && image.LiveNodes.First().Id == self.Node)
        {
            await SayAsync(wal, _ => true, reason, $"Start broker {wal.Node} again, by its name and with this WAL ({wal.Location}); or give", token);
        }
    }

    /// <returns>Why it was not recovered, or not whole; null if it was.</returns>
    private async Task<Exception?> TryRecoverAsync(WalDescriptor wal, WalShare share, CancellationToken token)
    {
        try
        {
            await recovery.RecoverAsync(wal, share, token);
            return null;
        }
        catch (Exception failure) when (MayPass(failure) || failure is WalUnavailableException or StreamException { Error: StreamError.Corrupt })
        {
            return failure;
        }
    }

    private async Task JudgeAsync(WalDescriptor wal, WalShare share, Exception? failure, CancellationToken token)
    {
        if (failure is null)
        {
            _said.Remove(wal.Id);
            return;
        }

        var mayPass = MayPass(failure);
        (mayPass ? _resting : _hopeless).UnionWith(NamesOf(share));
        var isDamaged = failure is StreamException;
        await SayAsync(
            wal,
            stream => stream.PlannedTo == self.Node && (mayPass || !isDamaged || stream.IsDamaged),
            failure.Message,
            mayPass ? "It is tried again by itself; or give"
            : isDamaged ? "Give"
            : $"Bring the WAL back ({wal.Location}) and start again; or give",
            token);
    }

    // What goes wrong all the time is said once.
    private async Task SayAsync(WalDescriptor wal, Func<WaitingStream, bool> isMeant, string reason, string advice, CancellationToken token)
    {
        if (_said.GetValueOrDefault(wal.Id) != reason)
        {
            _said[wal.Id] = reason;
            await losses.GiveUpOrWaitAsync(wal.Id, isMeant, reason, advice, token);
        }
    }

    private async Task WaitForWorkAsync(IMetadataFeed metadata, BackOff pauses, CancellationToken token)
    {
        // The feed asks on its own thread, and perhaps once more when this has gone on.
        var passedOver = _hopeless.Union(_resting).ToHashSet();
        var lookedFor = _lookedFor.ToHashSet();
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(token);
        var work = metadata.WaitAsync(
            image => PlannedIn(image).Any(planned => !passedOver.Contains(planned)) || OrphansIn(image).Any(wal => !lookedFor.Contains(wal.Id)),
            wait.Token).AsTask();
        if (_resting.Count + _hopeless.Count + _lookedFor.Count == 0)
        {
            await work;
            return;
        }

        var hope = HopeIn;
        var pause = _resting.Count > 0 && pauses.Next() is var rest && rest < hope ? rest : hope;
        await Waiting.Either(work, Task.Delay(pause, runtime.Time, wait.Token));
        wait.Cancel();
        token.ThrowIfCancellationRequested();
    }

    /// <summary>How long from now what is hopeless is given another chance.</summary>
    private TimeSpan HopeIn => HopelessPause - runtime.Time.GetElapsedTime(_hopedAt) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private IEnumerable<(StreamId Stream, StreamEpoch Epoch)> PlannedIn(MetadataImage image) =>
        IsLiveIn(image) && image.Wals.Values.Any(wal => wal.State == WalState.AwaitsRecovery)
            ? image.Topics.Values.SelectMany(topic => topic.Partitions)
                .Where(partition => partition.Leader is null && partition.PlannedTo == self.Node)
                .Select(partition => (partition.Stream, partition.Epoch))
            : [];

    private IEnumerable<WalImage> OrphansIn(MetadataImage image) =>
        image.Wals.Values.Where(wal => wal.State == WalState.AwaitsRecovery && wal.IsOrphanIn(image) && IsLiveIn(image));

    // One that is fenced itself has nothing to bring, though its node may live on in another incarnation.
    private bool IsLiveIn(MetadataImage image) => image.Nodes.TryGetValue(self.Node, out var node) && node.Epoch == self.Epoch && node.IsLive;

    private static IEnumerable<(StreamId Stream, StreamEpoch Epoch)> NamesOf(WalShare share) => share.Ranges.Select(range => (range.Stream, range.Epoch));

    private static bool MayPass(Exception refused) =>
        refused is ObjectStorageException or WalUnavailableException { MayPass: true } or StreamException { Error: StreamError.StorageUnavailable };
}
