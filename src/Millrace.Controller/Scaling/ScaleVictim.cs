using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>Who goes where one is to go.</summary>
internal static class ScaleVictim
{
    /// <summary>
    /// The one that moves the fewest bytes, and so is missed the least; among equals the newest, which has come for a load that is over. Never the controller,
    /// whose end is a change for all.
    /// </summary>
    /// <returns>Null where none may go.</returns>
    public static NodeId? Find(BrokerCensus census, ScaleSettings settings) => census.Serving
        .Where(broker => broker.Node != census.Controller && !settings.Excluded.Contains(broker.Node))
        .OrderBy(broker => broker.Load.Bytes)
        .ThenByDescending(broker => broker.Node)
        .Select(broker => (NodeId?)broker.Node)
        .FirstOrDefault();
}
