using Millrace.Controller.State;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Controller.Topics;

/// <summary>Who comes after nodes that are gone: decided in the very entry by which they go, or by which the first of all comes again.</summary>
internal static class Succession
{
    /// <summary>
    /// Gives each partition that has no leader, and is planned to nobody who lives, to a live node: as leader at a higher epoch if its stream is complete,
    /// else for recovery, by who reaches its WAL: to any, to those with its device, or to the node that wrote it, which has to come again. Those that were
    /// planned to a survivor who is gone too are planned again. Where nobody lives they stay planned to nobody.
    /// </summary>
    public static SuccessionPlan Plan(PendingEntry entry)
    {
        var live = ReplicaPlacement.Candidates(entry.Cluster);
        var wals = new Dictionary<(NodeEpoch Owner, WalKind? Wal), WalImage>();
        foreach (var wal in entry.Cluster.Wals.Values)
        {
            if (wal.State == WalState.AwaitsRecovery)
            {
                wals.TryAdd((wal.Epoch, WalName.Of(wal)), wal);
            }
        }

        var plan = new SuccessionPlan();
        var (leaders, survivors) = (new EvenSpread(live), new EvenSpread(live));
        var reaching = new Dictionary<Guid, EvenSpread>();
        foreach (var topic in entry.Cluster.Topics.Values)
        {
            var (led, planned) = (new PartitionRuns(), new PartitionRuns());
            foreach (var partition in topic.Partitions)
            {
                if (partition.Leader is not null || (partition.PlannedTo is { } present && entry.Cluster.IsLive(present)))
                {
                    continue;
                }

                if (entry.Streams.Streams[partition.Stream].OpenRange is not { } open)
                {
                    if (leaders.Next(partition.Replicas) is { } leader)
                    {
                        led.Add(partition.Index, leader.Value);
                        plan.AddLed();
                    }

                    continue;
                }

                var next = wals.GetValueOrDefault((open.Owner.Epoch, open.Wal)) is { } wal && !((WalKind)wal.Kind).IsOfAll()
                    ? Reaching(wal).Next(partition.Replicas) ?? wal.Node
                    : survivors.Next(partition.Replicas);
                plan.AddPlanned(next);
                if (next != partition.PlannedTo)
                {
                    planned.Add(partition.Index, next?.Value ?? -1);
                }
            }

            if (!led.IsEmpty)
            {
                entry.Add(led.ToLeaders(topic.Id));
            }

            if (!planned.IsEmpty)
            {
                entry.Add(planned.ToPlans(topic.Id));
            }
        }

        return plan;

        EvenSpread Reaching(WalImage wal)
        {
            if (!reaching.TryGetValue(wal.Id, out var those))
            {
                // One that is drained had better lead it than nobody.
                NodeId[] all = [.. entry.Cluster.LiveNodes.Where(node => wal.IsReachedBy(node)).Select(node => node.Id)];
                reaching.Add(wal.Id, those = new EvenSpread(live.Any(all.Contains) ? [.. all.Where(live.Contains)] : all));
            }

            return those;
        }
    }
}
