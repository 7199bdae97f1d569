using System.Globalization;
using Millrace.Controller.Topics;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Protocol;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What the scaler decides becomes configs: how many brokers there should be, and which is drained to be stopped.</summary>
internal static class ScaleExecution
{
    /// <summary>From now on there should be so many.</summary>
    public static void Want(PendingEntry entry, int brokers) =>
        Set(entry, MetadataImage.AllBrokers, BrokerConfigs.ScalerDesired, brokers.ToString(CultureInfo.InvariantCulture));

    /// <summary>One is to go: others lead what it leads, as if an operator had drained it.</summary>
    /// <returns>Why it stays.</returns>
    public static Refusal? Drain(PendingEntry entry, ScaleDecision decision) => entry.Try(
        pending =>
        {
            var victim = decision.Victim!.Value;
            if (!pending.Cluster.IsLive(victim) || BrokerDuties.IsDrained(pending.Cluster, victim))
            {
                return new Refusal(ErrorCode.InvalidRequest, $"Broker {victim} is not as it was.");
            }

            Want(pending, decision.Desired);
            Set(pending, MetadataImage.AllBrokers, BrokerConfigs.ScalerVictim, victim.Value.ToString(CultureInfo.InvariantCulture));
            Set(pending, victim, BrokerConfigs.Drained, "true");
            return Evacuation.Drain(pending, victim);
        },
        keep: true);

    /// <summary>The one that was to go is not kept from anything any more: it stays, or has gone, and may come again by its name.</summary>
    public static void LetGo(PendingEntry entry, NodeId victim)
    {
        Set(entry, MetadataImage.AllBrokers, BrokerConfigs.ScalerVictim, null);
        if (entry.Cluster.Nodes.ContainsKey(victim) && BrokerDuties.ConfiguredOf(entry.Cluster, victim) == BrokerDuty.Drained)
        {
            Set(entry, victim, BrokerConfigs.Drained, null);
            LeaderReturn.Undrain(entry, victim);
        }
    }

    /// <summary>Nothing was decided, as far as anybody will know.</summary>
    public static void Forget(PendingEntry entry) => Set(entry, MetadataImage.AllBrokers, BrokerConfigs.ScalerDesired, null);

    /// <summary>How many partitions a broker leads, or is to lead.</summary>
    public static int LeftOn(MetadataImage image, NodeId node) => image.Topics.Values.Sum(
        topic => topic.Partitions.Count(partition => partition.Leader == node || partition.PlannedTo == node));

    private static void Set(PendingEntry entry, NodeId node, string name, string? value)
    {
        if (entry.Cluster.BrokerConfigs.GetValueOrDefault(node)?.GetValueOrDefault(name) != value)
        {
            entry.Add(new BrokerConfigRecord { NodeId = node.Value, Name = name, Value = value });
        }
    }
}
