using Millrace.Metadata;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>
/// The moves that this node takes part in: those that it hands over, those that have come and are being opened, and the last that it was to hand over.
/// Nothing depends on it but what people are told.
/// </summary>
/// <remarks>Threading: any thread. Of what is under way there is at most one for each partition that is led here.</remarks>
/// <param name="time">For how long everything takes.</param>
/// <param name="self">This node.</param>
internal sealed class MoveLog(TimeProvider time, NodeId self)
{
    /// <summary>So many that have ended are kept.</summary>
    public const int MostEnded = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<Partition, MoveProgress> _leaving = [];
    private readonly Dictionary<Partition, MoveProgress> _coming = [];
    private readonly Queue<MoveProgress> _ended = new();

    /// <summary>A partition is to leave. It may be said again, with another to lead it next.</summary>
    public void Plan(Partition partition, NodeId to)
    {
        lock (_lock)
        {
            if (!_leaving.TryGetValue(partition, out var known))
            {
                _leaving[partition] = new MoveProgress(partition.Id, partition.LeaderEpoch, self, to, MovePhase.Planned, time.GetTimestamp());
            }
            else if (known.To != to)
            {
                _leaving[partition] = known with { To = to };
            }
        }
    }

    /// <summary>What one that is planned holds is uploaded from now on; nothing is said of one that is not.</summary>
    public void Upload(Partition partition) => Change(partition, move => move with { Phase = MovePhase.Uploading });

    /// <summary>So many bytes of it are in objects now.</summary>
    public void AddUploaded(Partition partition, long bytes) => Change(partition, move => move with { BytesUploaded = move.BytesUploaded + bytes });

    /// <summary>It serves nobody from now on, and so many bytes are left.</summary>
    public void Stop(Partition partition, long bytesLeft) =>
        Change(partition, move => move with { Phase = MovePhase.Stopped, StoppedAt = time.GetTimestamp(), BytesLeft = bytesLeft });

    /// <summary>It was taken back, and serves again.</summary>
    public void TakeBack(Partition partition) => Change(partition, move => move with { Phase = MovePhase.Planned, StoppedAt = null, BytesLeft = 0 });

    /// <summary>
    /// Ends it where an image says that it is over; nothing is said of one that is not planned. One that stopped before its plan ended goes on until it comes
    /// back.
    /// </summary>
    /// <param name="partition">Led here at its epoch, as far as was known.</param>
    /// <param name="now">What the image has of it; null if its topic is deleted.</param>
    public void Follow(Partition partition, PartitionImage? now)
    {
        lock (_lock)
        {
            if (_leaving.TryGetValue(partition, out var move) && OutcomeOf(move, now) is { } outcome)
            {
                End_NeedsLock(partition, move, outcome);
            }
        }
    }

    /// <summary>It has ended by what befell its stream.</summary>
    public void Lose(Partition partition)
    {
        lock (_lock)
        {
            if (_leaving.TryGetValue(partition, out var move))
            {
                End_NeedsLock(partition, move, MovePhase.Lost);
            }
        }
    }

    /// <summary>Partitions have come here, and are to be opened.</summary>
    public void Come(IReadOnlyCollection<(Partition Partition, int FormerEpoch, NodeId From)> partitions)
    {
        if (partitions.Count == 0)
        {
            return;
        }

        lock (_lock)
        {
            ForgetOpened_NeedsLock();
            foreach (var (partition, formerEpoch, from) in partitions)
            {
                _coming[partition] = new MoveProgress(partition.Id, formerEpoch, from, self, MovePhase.Opening, time.GetTimestamp());
            }
        }
    }

    /// <summary>All of them: those under way, then those that have ended, the last one last.</summary>
    public IReadOnlyList<MoveProgress> All()
    {
        KeyValuePair<Partition, MoveProgress>[] leaving;
        MoveProgress[] others;
        lock (_lock)
        {
            ForgetOpened_NeedsLock();
            leaving = [.. _leaving];
            others = [.. _coming.Values, .. _ended];
        }

        // One that has stopped has been asked already.
        return
        [
            .. leaving.Select(one => one.Value.Phase == MovePhase.Stopped ? one.Value : one.Value with { BytesLeft = one.Key.UncommittedBytes }), .. others,
        ];
    }

    /// <summary>Null where it is still on its way.</summary>
    private MovePhase? OutcomeOf(MoveProgress move, PartitionImage? now)
    {
        if (now?.Leader is not { } leader)
        {
            return MovePhase.Lost;
        }

        if (leader != self)
        {
            return MovePhase.Done;
        }

        return now.LeaderEpoch != move.LeaderEpoch || (!now.Moves && move.Phase != MovePhase.Stopped) ? MovePhase.Cancelled : null;
    }

    private void End_NeedsLock(Partition partition, MoveProgress move, MovePhase outcome)
    {
        _leaving.Remove(partition);
        _ended.Enqueue(move with
        {
            Phase = outcome,
            EndedAt = time.GetTimestamp(),
            BytesLeft = 0,
            BytesUploaded = move.BytesUploaded + (outcome == MovePhase.Done ? move.BytesLeft : 0),
        });
        if (_ended.Count > MostEnded)
        {
            _ended.Dequeue();
        }
    }

    // Where others are added or told of, and not when each is open, since nobody waits for all of them.
    private void ForgetOpened_NeedsLock()
    {
        foreach (var opened in _coming.Keys.Where(known => known.Phase is not (PartitionPhase.Waiting or PartitionPhase.Opening)).ToList())
        {
            _coming.Remove(opened);
        }
    }

    private void Change(Partition partition, Func<MoveProgress, MoveProgress> change)
    {
        lock (_lock)
        {
            if (_leaving.TryGetValue(partition, out var move))
            {
                _leaving[partition] = change(move);
            }
        }
    }
}
