using Millrace.Broker.Apis.Data;
using Millrace.Broker.Following;
using Millrace.Broker.Loads;
using Millrace.Broker.Membership;
using Millrace.Broker.Metrics;
using Millrace.Broker.Partitions;
using Millrace.Broker.Purgatory;
using Millrace.Coordination.Groups;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Broker.Apis;

/// <summary>What the API handlers are made of.</summary>
internal sealed record BrokerComponents
{
    public required NodeRuntime Runtime { get; init; }

    public required BrokerIdentity Identity { get; init; }

    /// <summary>The newest image of the cluster that this broker knows.</summary>
    public required IMetadataFeed Metadata { get; init; }

    /// <summary>Which nodes clients are told of.</summary>
    public required DepartedNodes Departed { get; init; }

    public required IControllerChannel Controller { get; init; }

    /// <summary>Lets this broker answer reads.</summary>
    public required IReadLease Lease { get; init; }

    public required PartitionTable Partitions { get; init; }

    /// <summary>The node's. Where batches that are stored in another form than they came in get their memory, too.</summary>
    public required BufferPool Buffers { get; init; }

    /// <summary>Where fetches wait.</summary>
    public required FetchPurgatory Fetches { get; init; }

    public required DataMetrics Metrics { get; init; }

    /// <summary>How much a fetch may be answered with.</summary>
    public required FetchLimit FetchLimit { get; init; }

    /// <summary>How consumers come to read in their own rack.</summary>
    public required RackReads Racks { get; init; }

    /// <summary>What this broker has to do.</summary>
    public required LoadMeter Loads { get; init; }

    /// <summary>The groups whose partitions this broker leads.</summary>
    public required GroupCoordinator Groups { get; init; }
}
