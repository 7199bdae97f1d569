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
/// Life: <see cref="OpenAsync"/> walks to the tail; <see cref="TryTakeOverAsync"/> may make the caller the owner; from then on
/// only the controller appends. Threading: one call at a time. <see cref="Image"/> may be read from any thread.
/// </remarks>
public sealed class MetadataLog : IAsyncDisposable
{
    /// <summary>The highest feature level that this program understands.</summary>
    public const short HighestFeatureLevel = 1;

    /// <summary>What the keys of all metadata begin with.</summary>
    internal const string Prefix = "meta/";

    private readonly NodeRuntime _runtime;
    private readonly ObjectLog _log;
    private readonly SnapshotStore _snapshots;
    private readonly SnapshotPace _pace;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _closing;
    private readonly CancellationToken _closed;
    private ObjectLogReader _reader;
    private ObjectLogOwner? _owner;
    private volatile ClusterState _state;
    private Task _snapshotting = Task.CompletedTask;
    private bool _disposed;

    private MetadataLog(NodeRuntime runtime, ObjectLog log, SnapshotStore snapshots, MetadataLogOptions options, SnapshotSearch search)
    {
        _runtime = runtime;
        _closing = CancellationTokenSource.CreateLinkedTokenSource(runtime.Stopping);
        _closed = _closing.Token;
        _log = log;
        _snapshots = snapshots;
        _pace = new SnapshotPace(options);
        _logger = runtime.Loggers.CreateLogger<MetadataLog>();
        (_reader, _state, Owner) = Begin(search);
    }

    /// <summary>The cluster as of the newest entry that was read or appended.</summary>
    public MetadataImage Image => _state.Cluster;

    /// <summary>Who owns the current term, by its last seal; null while nobody ever did.</summary>
    public ControllerSeal? Owner { get; private set; }

    /// <summary>What the newest entries say of the cluster image, for followers.</summary>
    public RecentEntries Recent { get; } = new();

    /// <summary>The first place that was not read yet. Only of a log that is not owned.</summary>
    public LogPlace Next => _reader.Position.Next;

    internal ClusterState State => _state;

    internal LogPlace? LastPlace { get; private set; }

    /// <summary>There was a snapshot to begin with.</summary>
    internal bool StartedFromSnapshot { get; private set; }

    /// <summary>Reads the newest snapshot and everything after it.</summary>
    /// <exception cref="ObjectLogException">Fork, Missing, Corrupt: stop.</exception>
    /// <exception cref="ProtocolException">A newer program has written the log.</exception>
    public static async ValueTask<MetadataLog> OpenAsync(
        NodeRuntime runtime, IObjectStorage storage, MetadataLogOptions options, CancellationToken token)
    {
        var log = new ObjectLog(runtime, storage, Prefix, new ObjectLogOptions { InFlight = 1 });
        var snapshots = new SnapshotStore(runtime, storage, options);
        var search = await snapshots.FindAsync(token);
        var opened = new MetadataLog(runtime, log, snapshots, options, search);
        await opened.ReadToTailAsync(token);
        opened.RequireAllBefore(search.Damaged);
        return opened;
    }

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

                Apply(step);
            }
            catch (ObjectLogException gone) when (gone.Error == ObjectLogError.Trimmed)
            {
                await ReloadAsync(token);
            }
        }
    }

    /// <summary>What the bucket holds, by the state that was read: what a verification compares it with. Needs no ownership.</summary>
    public StoreInventory ToInventory() => _state.Streams.ToInventory();

    /// <summary>
    /// One attempt to end the current term and own the next. The caller has made sure that <see cref="Owner"/> does not answer: the
    /// log is safe without that, but the living owner would lose its cluster.
    /// </summary>
    /// <param name="seal">Names the new owner to all who read the log.</param>
    /// <param name="token">Ends the attempt; a seal may have been left, and count.</param>
    /// <returns>False if somebody else was faster: <see cref="Owner"/> names it, and the state is up to date with its seal.</returns>
    public async ValueTask<bool> TryTakeOverAsync(ControllerSeal seal, CancellationToken token)
    {
        Invariant.Check(_owner is null);
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
        _closing.Cancel();
        if (_owner is not null)
        {
            await _owner.DisposeAsync();
        }

        _reader.Dispose();
        await _snapshotting;
        _closing.Dispose();
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
        LastPlace = await _owner.AppendAsync(new ReadOnlySequence<byte>(payload));
        var after = pending.EndEntry(_state, LastPlace.Value);
        Recent.Add(LastPlace.Value, _state.Cluster, records);
        _state = after;
        _pace.AddEntry(payload.Length);
        if (_pace.IsDue && _snapshotting.IsCompleted)
        {
            var snapshot = new Snapshot(_owner.StartAfter(LastPlace.Value), Owner!, after);
            _pace.Restart();
            _snapshotting = _runtime.Spawn("metadata-snapshot", _ => SnapshotAsync(snapshot));
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

    /// <summary>Saves a state and cuts the log: the older of the two newest snapshots must still find its tail.</summary>
    private async Task SnapshotAsync(Snapshot snapshot)
    {
        try
        {
            _pace.Taken(await _snapshots.SaveAsync(snapshot, _closed));

            // Where later owners' snapshots stand above this one, this owner does not know the seals below them, and must leave the
            // cut to them: a seal that goes lets a deposed owner acknowledge.
            if (await _snapshots.TrimAsync(_closed) is { } boundary && boundary <= snapshot.Start.Next)
            {
                await _log.TrimAsync(boundary, snapshot.Start, _closed);
            }

            ControllerMessages.SnapshotTaken(_logger, snapshot.Start.Next, snapshot.State.Cluster.Version);
        }
        catch (ObjectStorageException failure)
        {
            // The log stays as long as it is until the next snapshot, and what was to be deleted goes with it.
            ControllerMessages.StorageFailed(_logger, "taking a snapshot of the metadata", failure.Message);
        }
        catch (Exception damage) when (damage is InvalidDataException or ObjectLogException)
        {
            // A snapshot that reads otherwise than it was written, or a key in the log that is none of it: nothing is trimmed, and nothing else is
            // the worse for it.
            ControllerMessages.SnapshotFailed(_logger, snapshot.Start.Next, damage.Message);
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            // The next owner takes its own.
        }
    }

    private ValueTask ApplyAsync(LogStep step)
    {
        Apply(step);
        return ValueTask.CompletedTask;
    }

    private void Apply(LogStep step)
    {
        LastPlace = step.Place;
        try
        {
            if (step.Kind == LogStepKind.Seal)
            {
                Owner = VersionedBytes.Decode<ControllerSeal>(step.Payload);
                Recent.Add(step.Place, _state.Cluster, []);
                _pace.AddTerm();
                return;
            }

            var records = Decode(step.Payload);
            var before = _state.Cluster;
            _state = _state.Apply(records, step.Place);
            Recent.Add(step.Place, before, records);
            _pace.AddEntry(step.Payload.Length);
        }
        catch (ProtocolException unknown)
        {
            throw new ProtocolException($"{_log.KeyOf(step.Place)}: {unknown.Message}", unknown);
        }
        catch (Exception contradiction) when (ClusterState.IsContradiction(contradiction))
        {
            // Its bytes are whole, and no program of this format wrote them behind what is before them.
            throw new ObjectLogException(
                ObjectLogError.Corrupt, $"{_log.KeyOf(step.Place)} contradicts the metadata before it: {contradiction.Message}", contradiction);
        }
    }

    private static IReadOnlyList<IRecord> Decode(ReadOnlyMemory<byte> payload)
    {
        var records = MetadataEntry.Read(payload);
        // Before anything of it is applied: records of a level that is not known mean something that is not known.
        foreach (var feature in records.OfType<FeatureLevelRecord>())
        {
            RequireKnown(feature.Level);
        }

        return records;
    }

    /// <summary>The log has been cut above the reader's place: begins again with the newest snapshot.</summary>
    /// <remarks>
    /// Whoever cuts the log has read back a snapshot of what is below, so that each call gets further. Where that snapshot has gone since, or is damaged,
    /// an older one leads to the same cut, however often it is begun with.
    /// </remarks>
    private async ValueTask ReloadAsync(CancellationToken token)
    {
        var place = _reader.Position.Next;
        var search = await _snapshots.FindAsync(token);
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
        (_reader, _state, Owner) = Begin(search);
    }

    private (ObjectLogReader Reader, ClusterState State, ControllerSeal? Owner) Begin(SnapshotSearch search)
    {
        var snapshot = search.Newest;
        _pace.Restart();
        _pace.Taken(search.Bytes);
        Recent.Restart(snapshot?.Start.Next ?? LogPlace.Start);
        if (snapshot is null)
        {
            return (_log.Read(LogStart.Beginning()), ClusterState.Empty, null);
        }

        StartedFromSnapshot = true;
        RequireKnown(snapshot.State.Cluster.FeatureLevel);
        return (_log.Read(snapshot.Start), snapshot.State, snapshot.Owner);
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

    private static void RequireKnown(short featureLevel)
    {
        if (featureLevel > HighestFeatureLevel)
        {
            throw new ProtocolException(
                $"The cluster's feature level is {featureLevel}, and this program knows {HighestFeatureLevel}: it needs a newer one");
        }
    }
}
