using System.Collections.Immutable;

namespace Millrace.Metadata.Configs;

/// <summary>What the scaler keeps among the configs of all brokers, so that the next controller goes on from there.</summary>
public static class ScalerMemory
{
    /// <summary>Nobody has them from a file, and no broker has its own.</summary>
    public static IReadOnlySet<string> ConfigNames { get; } =
        ImmutableHashSet.Create(
            StringComparer.Ordinal, BrokerConfigs.ScalerDesired, BrokerConfigs.ScalerFormer, BrokerConfigs.ScalerTold, BrokerConfigs.ScalerVictim);
}
