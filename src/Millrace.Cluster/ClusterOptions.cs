using Millrace.Cluster.Liveness;
using Millrace.Controller;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Log;
using Millrace.Metadata.Channel;

namespace Millrace.Cluster;

/// <summary>What operators tune about a node's place in its cluster.</summary>
public sealed record ClusterOptions
{
    /// <summary>How long a controller is silent before others suspect that it is gone.</summary>
    public TimeSpan SuspicionTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often a node tells the controller that it lives.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long after it sent a heartbeat that was answered a node answers reads: shorter than the fence time, whatever their clocks.</summary>
    public TimeSpan LeaseTime { get; init; } = TimeSpan.FromMilliseconds(2_500);

    /// <summary>How long a node is silent before it is given up: its partitions go to others.</summary>
    public TimeSpan FenceTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a node is silent before the controller looks whether its process is gone, which is known at once.</summary>
    public TimeSpan ProbeTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a node waits for the store, while others do not, before it is given up.</summary>
    public TimeSpan StallTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a node that does not belong to the cluster yet leaves it to others to find a new controller.</summary>
    public TimeSpan StrangerWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Candidates for the controller's place try one after another, so much apart.</summary>
    public TimeSpan CandidacyStep { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>How long the controller keeps a question for news waiting.</summary>
    public TimeSpan PollTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How a controller in this process is asked: the messages as they are, unless the simulator takes them through their bytes.</summary>
    public Func<ControllerEndpoint, IControllerLink> Link { get; init; } = static endpoint => endpoint;

    /// <summary>What leases rest on.</summary>
    public LeaseRules Rules { get; init; } = LeaseRules.Default;

    public ClusterControllerOptions Controller { get; init; } = new();

    public MetadataLogOptions Log { get; init; } = new();
}
