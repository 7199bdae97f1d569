using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>What was decided last. It stands in the metadata, so that the next controller goes on from there.</summary>
/// <param name="Desired">How many brokers there should be; 0 while nobody has decided anything.</param>
/// <param name="Victim">Which is drained, to be stopped then; null if none is.</param>
internal sealed record ScaleStanding(int Desired, NodeId? Victim)
{
    public static ScaleStanding None { get; } = new(0, null);

    /// <summary>How many there should have been before those were called for that have not all come; null where nobody was.</summary>
    public int? Former { get; init; }

    /// <summary>The command was run, and what it was told has neither come about nor been taken back.</summary>
    public bool IsTold { get; init; }

    /// <summary>What stands when the decision of a look is under way.</summary>
    public ScaleStanding After(ScaleDecision decision) => decision.Change switch
    {
        ScaleChange.Out => this with { Desired = decision.Desired, Former = Former ?? Math.Max(Desired, decision.Current) },
        ScaleChange.Recall => this with { Desired = decision.Desired, Former = null },
        ScaleChange.In => this with { Desired = decision.Desired, Victim = decision.Victim },
        ScaleChange.Keep => this with { Desired = decision.Desired, Victim = null },
        _ => this with { Desired = decision.Desired },
    };

    /// <summary>What still stands of it: who was called for may have come, who was to go may have gone, or somebody has said otherwise.</summary>
    /// <param name="image">The cluster.</param>
    /// <param name="drains">Whether anybody is drained to be stopped.</param>
    public ScaleStanding Settled(MetadataImage image, bool drains)
    {
        var current = BrokerCensus.Count(image);
        return Victim is { } gone && !image.IsLive(gone) ? this with { Victim = null, IsTold = false }
            // What the command was told of it is to be taken back.
            : Victim is { } kept && !(drains && BrokerDuties.ConfiguredOf(image, kept) == BrokerDuty.Drained) ? this with { Victim = null, Desired = current }
            : Former is not null && current >= Desired ? this with { Former = null, IsTold = false }
            : this;
    }
}
