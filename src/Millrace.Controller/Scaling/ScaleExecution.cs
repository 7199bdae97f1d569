using System.Globalization;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What the scaler decides becomes configs: what stands those of all brokers, and of the one that is to go that it is drained.</summary>
internal static class ScaleExecution
{
    /// <summary>What a look has decided is under way.</summary>
    /// <param name="entry">Takes it.</param>
    /// <param name="decision">Of the look.</param>
    /// <param name="drains">Whether the one that is to go is drained: others lead what it leads then, as if an operator had drained it.</param>
    /// <returns>Why nothing is changed.</returns>
    public static Refusal? Begin(PendingEntry entry, ScaleDecision decision, bool drains) => entry.Try(
        pending =>
        {
            var before = ScalerConfigs.StandingOf(pending.Cluster);
            var after = before.After(decision);
            Stand(pending, drains ? after : after with { Victim = null });
            if (before.Victim is { } former && former != after.Victim)
            {
                // It stays; or it is about to stop as it was to, when the next one is found, and may come again by its name.
                Undrain(pending, former);
            }

            return drains && decision is { Change: ScaleChange.In, Victim: { } victim } ? Drain(pending, victim) : null;
        },
        keep: true);

    /// <summary>What has come about stands no more; who has gone is not kept from anything any more, and may come again by its name.</summary>
    public static void Settle(PendingEntry entry, bool drains)
    {
        var before = ScalerConfigs.StandingOf(entry.Cluster);
        var after = before.Settled(entry.Cluster, drains);
        Stand(entry, after);
        if (before.Victim is { } former && after.Victim is null)
        {
            Undrain(entry, former);
        }
    }

    /// <summary>
    /// The command is about to be told something. Also where nothing changes by it this is an entry: only a controller that still is one gets it into the log.
    /// </summary>
    /// <returns>False where the order does not stand any more.</returns>
    public static bool Tell(PendingEntry entry, ScaleOrder order)
    {
        if (StandingOrder.Of(entry.Cluster) != order)
        {
            return false;
        }

        entry.Add(new BrokerConfigRecord { NodeId = MetadataImage.AllBrokers.Value, Name = BrokerConfigs.ScalerTold, Value = "true" });
        return true;
    }

    /// <summary>From now on this stands.</summary>
    public static void Stand(PendingEntry entry, ScaleStanding standing)
    {
        Set(entry, MetadataImage.AllBrokers, BrokerConfigs.ScalerDesired, standing.Desired == 0 ? null : Text(standing.Desired));
        Set(entry, MetadataImage.AllBrokers, BrokerConfigs.ScalerVictim, standing.Victim is { } victim ? Text(victim.Value) : null);
        Set(entry, MetadataImage.AllBrokers, BrokerConfigs.ScalerFormer, standing.Former is { } former ? Text(former) : null);
        Set(entry, MetadataImage.AllBrokers, BrokerConfigs.ScalerTold, standing.IsTold ? "true" : null);
    }

    /// <summary>How many partitions a broker leads, or is to lead.</summary>
    public static int LeftOn(MetadataImage image, NodeId node) => image.Topics.Values.Sum(
        topic => topic.Partitions.Count(partition => partition.Leader == node || partition.PlannedTo == node));

    private static Refusal? Drain(PendingEntry entry, NodeId victim)
    {
        if (!entry.Cluster.IsLive(victim) || BrokerDuties.IsDrained(entry.Cluster, victim))
        {
            return new Refusal(ErrorCode.InvalidRequest, $"Broker {victim} is not as it was.");
        }

        Set(entry, victim, BrokerConfigs.Drained, "true");
        return Evacuation.Drain(entry, victim);
    }

    private static void Undrain(PendingEntry entry, NodeId node)
    {
        if (entry.Cluster.Nodes.ContainsKey(node) && BrokerDuties.ConfiguredOf(entry.Cluster, node) == BrokerDuty.Drained)
        {
            Set(entry, node, BrokerConfigs.Drained, null);
            LeaderReturn.Undrain(entry, node);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Set(PendingEntry entry, NodeId node, string name, string? value)
    {
        if (entry.Cluster.BrokerConfigs.GetValueOrDefault(node)?.GetValueOrDefault(name) != value)
        {
            entry.Add(new BrokerConfigRecord { NodeId = node.Value, Name = name, Value = value });
        }
    }
}
