using System.Collections.Frozen;
using System.Globalization;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>Reads what is set for the scaler: as the controller's broker has it, like any config of a broker.</summary>
internal static class ScalerConfigs
{
    public static ScalerMode ModeOf(MetadataImage image, ConfigResolver configs) =>
        Enum.Parse<ScalerMode>(configs.Broker(image, BrokerConfigs.ScalerMode).AsText(), ignoreCase: true);

    public static ScaleSettings SettingsOf(MetadataImage image, ConfigResolver configs)
    {
        return new ScaleSettings
        {
            Min = Config(BrokerConfigs.ScalerMinBrokers).AsInt(),
            Max = Config(BrokerConfigs.ScalerMaxBrokers).AsInt(),
            TargetCpu = double.Parse(Config(BrokerConfigs.ScalerTargetCpu).AsText(), CultureInfo.InvariantCulture),
            TargetBytes = Config(BrokerConfigs.ScalerTargetBytes).AsLong(),
            OutAfter = Config(BrokerConfigs.ScalerOutAfter).AsMilliseconds(),
            InAfter = Config(BrokerConfigs.ScalerInAfter).AsMilliseconds(),
            OutCooldown = Config(BrokerConfigs.ScalerOutCooldown).AsMilliseconds(),
            InCooldown = Config(BrokerConfigs.ScalerInCooldown).AsMilliseconds(),
            Excluded = Nodes(BrokerConfigs.ScalerExcludedBrokers).Concat(Nodes(BrokerConfigs.BalancerExcludedBrokers)).ToFrozenSet(),
        };

        EffectiveConfig Config(string name) => configs.Broker(image, name);

        IEnumerable<NodeId> Nodes(string name) =>
            ConfigDefinition.ListItems(Config(name).AsText()).Select(id => new NodeId(int.Parse(id, CultureInfo.InvariantCulture)));
    }

    public static ScaleStanding StandingOf(MetadataImage image)
    {
        var set = image.BrokerConfigs.GetValueOrDefault(MetadataImage.AllBrokers);
        return new ScaleStanding(Number(BrokerConfigs.ScalerDesired) ?? 0, Number(BrokerConfigs.ScalerVictim) is { } victim ? new NodeId(victim) : null)
        {
            Former = Number(BrokerConfigs.ScalerFormer) is { } former and > 0 ? former : null,
            IsTold = bool.TryParse(set?.GetValueOrDefault(BrokerConfigs.ScalerTold), out var told) && told,
        };

        // Somebody may have written out the -1 or 0 that stands for none.
        int? Number(string name) => int.TryParse(set?.GetValueOrDefault(name), CultureInfo.InvariantCulture, out var number) && number >= 0 ? number : null;
    }
}
