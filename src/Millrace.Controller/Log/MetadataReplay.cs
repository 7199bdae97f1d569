using Millrace.Controller.State;
using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Metadata.Records;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Protocol.Messages;
using Millrace.Protocol.Primitives;

namespace Millrace.Controller.Log;

/// <summary>What a snapshot and the steps of the metadata log after it make: the cluster's state, and who owns the term.</summary>
/// <remarks>Threading: one call at a time; <see cref="State"/> may be read from any thread.</remarks>
/// <param name="log">Names its objects, where one of them says what cannot be.</param>
/// <param name="pace">Hears how much was replayed.</param>
/// <param name="whole">Whether the streams are kept, too, and not only the cluster half.</param>
internal sealed class MetadataReplay(ObjectLog log, SnapshotPace pace, bool whole)
{
    private volatile ClusterState _state = ClusterState.Empty;
    private TouchedTopics _touched = new();

    public ClusterState State => _state;

    /// <summary>By the last seal; null while there was none.</summary>
    public ControllerSeal? Owner { get; private set; }

    public bool IsWhole { get; private set; } = whole;

    /// <summary>The newest steps; none are kept where the state is not whole.</summary>
    public RecentEntries Recent { get; } = new();

    /// <summary>There was a snapshot to begin with.</summary>
    public bool BeganWithSnapshot { get; private set; }

    /// <summary>Begins anew, with the newest snapshot that was found.</summary>
    /// <returns>Where the steps that come after it begin.</returns>
    /// <exception cref="ProtocolException">A newer program has written it.</exception>
    public LogStart Begin(SnapshotSearch search)
    {
        var snapshot = search.Newest;
        pace.Restart();
        pace.Taken(search.Bytes);
        _touched.AddAll();
        Recent.Restart(snapshot?.Start.Next ?? LogPlace.Start);
        if (snapshot is null)
        {
            (_state, Owner) = (ClusterState.Empty, null);
            return LogStart.Beginning();
        }

        BeganWithSnapshot = true;
        RequireKnown(snapshot.State.Cluster.FeatureLevel);
        (_state, Owner) = (snapshot.State, snapshot.Owner);
        return snapshot.Start;
    }

    /// <summary>Replays an entry or a seal that was read.</summary>
    /// <exception cref="ProtocolException">A newer program has written it; nothing of it was applied.</exception>
    /// <exception cref="ObjectLogException">Corrupt: it contradicts what was before it.</exception>
    public void Apply(LogStep step)
    {
        try
        {
            if (step.Kind == LogStepKind.Seal)
            {
                Owner = VersionedBytes.Decode<ControllerSeal>(step.Payload);
                pace.AddTerm();
                if (IsWhole)
                {
                    Recent.AddSeal(step);
                }

                return;
            }

            var records = Decode(step.Payload);
            var before = _state.Cluster;
            _state = IsWhole ? _state.Apply(records, step.Place, _touched) : _state.ApplyToCluster(records, step.Place, _touched);
            pace.AddEntry(step.Payload.Length);
            if (IsWhole)
            {
                Recent.AddEntry(step, before, records);
            }
        }
        catch (ProtocolException unknown)
        {
            throw new ProtocolException($"{log.KeyOf(step.Place)}: {unknown.Message}", unknown);
        }
        catch (Exception contradiction) when (ClusterState.IsContradiction(contradiction))
        {
            // Its bytes are whole, and no program of this format wrote them behind what is before them.
            throw new ObjectLogException(
                ObjectLogError.Corrupt, $"{log.KeyOf(step.Place)} contradicts the metadata before it: {contradiction.Message}", contradiction);
        }
    }

    /// <summary>Goes on by an entry that was appended, and whose records were applied when it was decided.</summary>
    /// <param name="entry">As it is in the log.</param>
    /// <param name="records">What it says.</param>
    /// <param name="pending">The present state with the records applied.</param>
    public void GoOn(LogStep entry, IReadOnlyList<IRecord> records, ClusterState pending)
    {
        var after = pending.EndEntry(_state, entry.Place);
        Recent.AddEntry(entry, _state.Cluster, records);
        _state = after;
        pace.AddEntry(entry.Payload.Length);
    }

    /// <summary>Which topics may have changed by what was replayed since this was last called.</summary>
    public TouchedTopics TakeTouched()
    {
        var touched = _touched;
        _touched = new TouchedTopics();
        return touched;
    }

    /// <summary>Keeps the cluster half alone from now on.</summary>
    /// <param name="next">The first place that was not replayed.</param>
    public void ForgetStreams(LogPlace next)
    {
        IsWhole = false;
        _state = _state with { Streams = StreamImage.Empty };
        Recent.Restart(next);
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

    private static void RequireKnown(short featureLevel)
    {
        if (featureLevel > MetadataLog.HighestFeatureLevel)
        {
            throw new ProtocolException(
                $"The cluster's feature level is {featureLevel}, and this program knows {MetadataLog.HighestFeatureLevel}: it needs a newer one");
        }
    }
}
