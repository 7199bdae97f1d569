using System.Buffers;
using Microsoft.Extensions.Logging;
using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;
using Millrace.Runtime;
using Millrace.Streams.Verification;

namespace Millrace.Controller.Log;

/// <summary>
/// The metadata log of a bucket: an object log of entries, each some records, with snapshots beside it. Read by whoever
/// wants to know the cluster; written by the one who owns its current term.
/// </summary>
/// <remarks>
/// Life: <see cref="OpenAsync"/> walks to the tail; from there it is read on, or fed (<see cref="Feed"/>) by one who has read further, and the two may
/// alternate. <see cref="TryTakeOverAsync"/> may make the caller the owner; from then on only the controller appends. Whoever only follows keeps the
/// cluster half, which is a small part of the whole (<see cref="OpenClusterAsync"/>, <see cref="ForgetStreams"/>), and cannot take over. Threading: one call
/// at a time. <see cref="Image"/> may be read from any thread.
/// </remarks>
public sealed class MetadataLog : IAsyncDisposable
{
    /// <summary>The highest feature level that this program understands.</summary>
    public const short HighestFeatureLevel = 1;

    /// <summary>What the keys of all metadata begin with.</summary>
    internal const string Prefix = "meta/";

    private readonly ObjectLog _log;
    private readonly SnapshotStore _snapshots;
    private readonly SnapshotPace _pace;
    private readonly SnapshotTaker _taker;
    private readonly MetadataReplay _replay;
    private readonly ILogger _logger;
    private ObjectLogReader _reader;
    private ObjectLogOwner? _owner;
    private bool _disposed;

    private MetadataLog(NodeRuntime runtime, ObjectLog log, SnapshotStore snapshots, MetadataLogOptions options, SnapshotSearch search, bool whole)
    {
        _log = log;
        _snapshots = snapshots;
        _pace = new SnapshotPace(options);
        _taker = new SnapshotTaker(runtime, log, snapshots, _pace);
        _replay = new MetadataReplay(log, _pace, whole);
        _logger = runtime.Loggers.CreateLogger<MetadataLog>();
        _reader = log.Read(_replay.Begin(search));
    }

    /// <summary>The cluster as of the newest entry that was read or appended.</summary>
    public MetadataImage Image => State.Cluster;

    /// <summary>Who owns the current term, by its last seal; null while nobody ever did.</summary>
    public ControllerSeal? Owner => _replay.Owner;

    /// <summary>Whether this has the streams, too, and not only the cluster half.</summary>
    public bool IsWhole => _replay.IsWhole;

    /// <summary>Whether a term of it is, or was, the caller's: then it is of no use for following.</summary>
    public bool WasTaken => _owner is not null;

    /// <summary>The newest entries, for followers; none are kept of a log that is not whole.</summary>
    public RecentEntries Recent => _replay.Recent;

    /// <summary>The first place that was not read yet. Only of a log that is not owned.</summary>
    public LogPlace Next => _reader.Position.Next;

    internal ClusterState State => _replay.State;

    /// <summary>There was a snapshot to begin with.</summary>
    internal bool StartedFromSnapshot => _replay.BeganWithSnapshot;

    /// <summary>Reads the newest snapshot and everything after it.</summary>
    /// <exception cref="ObjectLogException">Fork, Missing, Corrupt: stop.</exception>
    /// <exception cref="ProtocolException">A newer program has written the log.</exception>
    public static ValueTask<MetadataLog> OpenAsync(
        NodeRuntime runtime, IObjectStorage storage, MetadataLogOptions options, CancellationToken token) =>
        ReadAsync(runtime, storage, options, whole: true, token);

    /// <summary>Reads the cluster half of the newest snapshot, and of everything after it.</summary>
    /// <inheritdoc cref="OpenAsync"/>
    public static ValueTask<MetadataLog> OpenClusterAsync(
        NodeRuntime runtime, IObjectStorage storage, MetadataLogOptions options, CancellationToken token) =>
        ReadAsync(runtime, storage, options, whole: false, token);

    /// <summary>
    /// Whether the log in a bucket has, or had, the entry that made a version of the image. Where it has not, whoever told of that version is the controller
    /// of another bucket, perhaps of one that this one was copied from.
    /// </summary>
    /// <exception cref="ObjectLogException">Corrupt.</exception>
    public static ValueTask<bool> ReachesAsync(NodeRuntime runtime, IObjectStorage storage, MetadataVersion version, CancellationToken token) =>
        In(runtime, storage).ReachesAsync(new LogPlace(version.Term, version.Index), token);

    /// <summary>Applies everything that is in the log by now.</summary>
    public async ValueTask ReadToTailAsync(CancellationToken token)
    {
        Invariant.Check(_owner is null);
        while (true)
        {
            try
            {
                var step = await _reader.StepAsync(token);
                if (step.Kind == LogStepKind.Tail)
                {
                    return;
                }

                _replay.Apply(step);
            }
            catch (ObjectLogException gone) when (gone.Error == ObjectLogError.Trimmed)
            {
                await ReloadAsync(token);
            }
        }
    }

    /// <summary>Goes on by what the owner of the log, or another who has read it further, tells of it.</summary>
    /// <param name="step">An entry or a seal; or, as a tail, the place before which there is nothing else that matters here.</param>
    /// <exception cref="ProtocolException">It does not follow what is known here; nothing has changed.</exception>
    /// <exception cref="ObjectLogException">Corrupt: it contradicts what is known here.</exception>
    public void Feed(LogStep step)
    {
        Invariant.Check(_owner is null);
        var next = _reader.Position.Next;
        if (IsWhole ? step.Place != next : step.Place.Term != next.Term || step.Place < next)
        {
            throw new ProtocolException($"The log is known up to {next} here, and was said to go on at {step.Place}");
        }

        // In this order: what cannot be read here must not be passed.
        if (step.Kind != LogStepKind.Tail)
        {
            _replay.Apply(step);
        }

        _reader.Pass(step);
    }

    /// <inheritdoc cref="MetadataReplay.TakeTouched"/>
    public TouchedTopics TakeTouched() => _replay.TakeTouched();

    /// <summary>Keeps the cluster half alone from now on.</summary>
    public void ForgetStreams()
    {
        Invariant.Check(_owner is null);
        _replay.ForgetStreams(_reader.Position.Next);
    }

    /// <summary>What the bucket holds, by the state that was read: what a verification compares it with. Needs no ownership.</summary>
    public StoreInventory ToInventory() => State.Streams.ToInventory();

    /// <summary>
    /// One attempt to end the current term and own the next. The caller has made sure that <see cref="Owner"/> does not answer: the
    /// log is safe without that, but the living owner would lose its cluster.
    /// </summary>
    /// <param name="seal">Names the new owner to all who read the log.</param>
    /// <param name="token">Ends the attempt; a seal may have been left, and count.</param>
    /// <returns>False if somebody else was faster: <see cref="Owner"/> names it, and the state is up to date with its seal.</returns>
    public async ValueTask<bool> TryTakeOverAsync(ControllerSeal seal, CancellationToken token)
    {
        Invariant.Check(_owner is null && IsWhole);
        var payload = VersionedBytes.Encode(seal, ControllerSeal.Versions.Max);
        while (true)
        {
            try
            {
                _owner = await _log.TryTakeOverAsync(_reader, payload, ApplyAsync, token);
                return _owner is not null;
            }
            catch (ObjectLogException gone) when (gone.Error == ObjectLogError.Trimmed)
            {
                await ReloadAsync(token);
            }
        }
    }

    /// <summary>Lets the log go. May be called again.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _taker.Stop();
        if (_owner is not null)
        {
            await _owner.DisposeAsync();
        }

        _reader.Dispose();
        await _taker.DisposeAsync();
    }

    /// <summary>Appends an entry: when this returns it is committed, and <see cref="State"/> is the state after it.</summary>
    /// <param name="records">At least one.</param>
    /// <param name="pending">The present state with the records applied.</param>
    /// <exception cref="ObjectLogException">Fenced, Closed: whether the entry is in the log is unknown, and nothing is ever appended again.</exception>
    internal async ValueTask AppendAsync(IReadOnlyList<IRecord> records, ClusterState pending)
    {
        Invariant.Check(_owner is not null);
        var payload = MetadataEntry.Write(records);
        await _owner.WaitForRoomAsync(CancellationToken.None);
        var place = await _owner.AppendAsync(new ReadOnlySequence<byte>(payload));
        _replay.GoOn(LogStep.Entry(place, payload), records, pending);
        if (_pace.IsDue && _taker.IsIdle)
        {
            _taker.Take(new Snapshot(_owner.StartAfter(place), Owner!, State));
        }
    }

    /// <summary>Of the owner.</summary>
    internal long Term => _owner!.Term;

    /// <summary>Looks whether the log still is this owner's. A store that does not say changes nothing: the next append will.</summary>
    /// <returns>Whether it is known to have been so when the look began.</returns>
    /// <exception cref="ObjectLogException">Fenced, Closed: nothing is ever appended again.</exception>
    internal async Task<bool> ConfirmAsync(CancellationToken token)
    {
        Invariant.Check(_owner is not null);
        try
        {
            return await _owner.ConfirmAsync(token);
        }
        catch (ObjectStorageException failure)
        {
            ControllerMessages.StorageFailed(_logger, "looking for another owner of the metadata log", failure.Message);
            return false;
        }
    }

    private static async ValueTask<MetadataLog> ReadAsync(
        NodeRuntime runtime, IObjectStorage storage, MetadataLogOptions options, bool whole, CancellationToken token)
    {
        var log = In(runtime, storage);
        var snapshots = new SnapshotStore(runtime, storage, options);
        var search = await snapshots.FindAsync(whole, token);
        var opened = new MetadataLog(runtime, log, snapshots, options, search, whole);
        await opened.ReadToTailAsync(token);
        opened.RequireAllBefore(search.Damaged);
        return opened;
    }

    private static ObjectLog In(NodeRuntime runtime, IObjectStorage storage) => new(runtime, storage, Prefix, new ObjectLogOptions { InFlight = 1 });

    private ValueTask ApplyAsync(LogStep step)
    {
        _replay.Apply(step);
        return ValueTask.CompletedTask;
    }

    /// <summary>The log has been cut above the reader's place: begins again with the newest snapshot.</summary>
    /// <remarks>
    /// Whoever cuts the log has read back a snapshot of what is below, so that each call gets further. Where that snapshot has gone since, or is damaged,
    /// an older one leads to the same cut, however often it is begun with.
    /// </remarks>
    private async ValueTask ReloadAsync(CancellationToken token)
    {
        var place = _reader.Position.Next;
        var search = await _snapshots.FindAsync(IsWhole, token);
        if (search.Newest is null || search.Newest.Start.Next <= place)
        {
            throw search.Damaged.Count == 0
                ? new ObjectLogException(
                    ObjectLogError.Missing, $"The metadata log has been trimmed above {place}, and there is no snapshot of what was before its beginning")
                : new ObjectLogException(
                    ObjectLogError.Corrupt,
                    $"The metadata log has been trimmed above {place}, and the snapshots of what was before its beginning are damaged: "
                    + string.Join(", ", search.Damaged));
        }

        _reader.Dispose();
        _reader = _log.Read(_replay.Begin(search));
    }

    // The log that was read in their stead must be as long as they say that it was: a log that is gone as well looks like that of a new cluster.
    private void RequireAllBefore(IReadOnlyList<string> damaged)
    {
        if (damaged.Count > 0 && _reader.Position.Next < SnapshotKey.Place(damaged[0]))
        {
            throw new ObjectLogException(
                ObjectLogError.Corrupt, $"The metadata log ends before {_reader.Position.Next}, and the snapshot of more of it is damaged: {damaged[0]}");
        }
    }
}
