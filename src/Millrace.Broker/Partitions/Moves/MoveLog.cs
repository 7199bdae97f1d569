using Millrace.Metadata;
using Millrace.Runtime.Ids;

namespace Millrace.Broker.Partitions.Moves;

/// <summary>
/// The moves that this node takes part in: those that it hands over, those that have come and are being opened, and the last that it was to hand over.
/// Nothing depends on it but what people are told.
/// </summary>
/// <remarks>Threading: any thread. Of what is under way there is at most one for each partition that is led here.</remarks>
internal sealed class MoveLog(TimeProvider time)
{
    /// <summary>So many that have ended are kept.</summary>
    public const int MostEnded = 1_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<Partition, MoveProgress> _leaving = [];
    private readonly Dictionary<Partition, MoveProgress> _coming = [];
    private readonly Queue<MoveProgress> _ended = new();

    /// <summary>A partition is to leave. It may be said again, with another to lead it next.</summary>
    public void Plan(Partition partition, NodeId from, NodeId to)
    {
        lock (_lock)
        {
            if (!_leaving.TryGetValue(partition, out var known))
            {
                _leaving[partition] = new MoveProgress(partition.Id, partition.LeaderEpoch, from, to, MovePhase.Planned, time.GetTimestamp());
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

    /// <summary>It has ended in one of the ways in which a move does.</summary>
    public void End(Partition partition, MovePhase phase)
    {
        lock (_lock)
        {
            if (!_leaving.Remove(partition, out var move))
            {
                return;
            }

            _ended.Enqueue(move with
            {
                Phase = phase,
                EndedAt = time.GetTimestamp(),
                BytesLeft = 0,
                BytesUploaded = move.BytesUploaded + (phase == MovePhase.Done ? move.BytesLeft : 0),
            });
            if (_ended.Count > MostEnded)
            {
                _ended.Dequeue();
            }
        }
    }

    /// <summary>Partitions have come here, and are to be opened.</summary>
    public void Come(IReadOnlyCollection<(Partition Partition, int FormerEpoch, NodeId From)> partitions, NodeId self)
    {
        lock (_lock)
        {
            // Here, and not when each is open, since nobody waits for all of them.
            foreach (var opened in _coming.Keys.Where(known => !IsOpening(known)).ToList())
            {
                _coming.Remove(opened);
            }

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
            leaving = [.. _leaving];
            others = [.. _coming.Where(one => IsOpening(one.Key)).Select(one => one.Value), .. _ended];
        }

        // One that has stopped has been asked already.
        return
        [
            .. leaving.Select(one => one.Value.Phase == MovePhase.Stopped ? one.Value : one.Value with { BytesLeft = one.Key.NotUploadedBytes }), .. others,
        ];
    }

    private static bool IsOpening(Partition partition) => partition.Phase is PartitionPhase.Waiting or PartitionPhase.Opening;

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
