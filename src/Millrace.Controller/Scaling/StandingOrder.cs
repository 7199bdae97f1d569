using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>
/// What the command is to be told, by what stands in the metadata. It is found anew each time and never remembered: so an order stands for no longer than
/// what has led to it, and the next controller finds the same.
/// </summary>
internal static class StandingOrder
{
    /// <returns>Null where the command has nothing to do.</returns>
    public static ScaleOrder? Of(MetadataImage image)
    {
        var (standing, current) = (ScalerConfigs.StandingOf(image), BrokerCensus.Count(image));
        if (standing.Victim is { } victim)
        {
            return standing.Desired < current && MayStop(image, victim)
                ? new ScaleOrder(current, standing.Desired, victim, image.Nodes[victim].Name)
                : null;
        }

        // Never fewer than there are without saying who is to go.
        var isOwed = standing.IsTold ? current <= standing.Desired : standing.Former is not null && current < standing.Desired;
        return isOwed ? new ScaleOrder(current, standing.Desired, null, null) : null;
    }

    // A drained broker may have become the controller: it would stop itself in the midst of that.
    private static bool MayStop(MetadataImage image, NodeId victim) =>
        image.IsLive(victim)
        && image.Controller != victim
        && BrokerDuties.ConfiguredOf(image, victim) == BrokerDuty.Drained
        && ScaleExecution.LeftOn(image, victim) == 0;
}
