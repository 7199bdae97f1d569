using Millrace.Metadata;
using Millrace.Runtime;

namespace Millrace.Broker;

/// <summary>What the API handlers are made of.</summary>
public sealed record BrokerComponents
{
    public required NodeRuntime Runtime { get; init; }

    public required BrokerIdentity Identity { get; init; }

    /// <summary>The newest image of the cluster that this broker knows.</summary>
    public required IMetadataFeed Metadata { get; init; }

    public required IControllerChannel Controller { get; init; }
}
