using System.Collections.Frozen;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What operators have set for the scaler.</summary>
internal sealed record ScaleSettings
{
    /// <summary>Never fewer brokers.</summary>
    public int Min { get; init; } = 1;

    /// <summary>Never more.</summary>
    public int Max { get; init; } = 10;

    /// <summary>The share of its processors that a broker is to use, on average.</summary>
    public double TargetCpu { get; init; } = 0.5;

    /// <summary>The bytes a second, both ways, that a broker is to move, on average; 0 for any.</summary>
    public long TargetBytes { get; init; }

    /// <summary>How long the load has to be too high before brokers come.</summary>
    public TimeSpan OutAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long it has to be low enough before one goes.</summary>
    public TimeSpan InAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long after any change none come.</summary>
    public TimeSpan OutCooldown { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>How long after any change none goes.</summary>
    public TimeSpan InCooldown { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>These never go.</summary>
    public FrozenSet<NodeId> Excluded { get; init; } = FrozenSet<NodeId>.Empty;
}
