using System.Collections.Immutable;
using Millrace.Controller.Balancing;
using Millrace.Controller.Scaling;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Simulation.Balancing;

namespace Millrace.Tests.Controller.Scaling;

/// <summary>A world of loads that scales itself, evened by the balancer: brokers come some time after they were called for, and go when empty.</summary>
internal sealed class ScaledWorld(LoadWorld world, ScaleSettings settings)
{
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Stop = TimeSpan.FromSeconds(30);

    private readonly BalancePlanner _balancer = new(BalanceRules.Default);
    private readonly ScalePlanner _planner = new(ScaleRules.Default, drains: true);
    private readonly Queue<TimeSpan> _arrivals = [];
    private ScaleStanding _standing = ScaleStanding.None;
    private TimeSpan _leavesAt;

    public LoadWorld World { get; } = world;

    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

    /// <summary>How often brokers were called for, or one was to go.</summary>
    public int Changes { get; private set; }

    private MetadataImage Image => _standing.Victim is not { } victim ? World.Image : World.Image with
    {
        BrokerConfigs = World.Image.BrokerConfigs.Add(
            victim, ImmutableSortedDictionary<string, string>.Empty.Add(BrokerConfigs.Drained, "true")),
    };

    public ScaleDecision Run()
    {
        Now += LoadWorld.Window;
        Happen();
        var loads = World.Measure();
        var plan = _balancer.Plan(Image, loads, BalanceExclusions.None, Now);
        World.Do(plan.Moves);
        _balancer.Begun(plan.Moves, Now);

        _standing = _standing.Settled(Image, drains: true);
        var decision = _planner.Plan(Image, loads, settings, _standing, Now);
        _planner.Begun(decision, Now);
        Changes += decision.Change == ScaleChange.None ? 0 : 1;
        _standing = _standing.After(decision);
        if (decision.Change == ScaleChange.In)
        {
            World.Empty(decision.Victim!.Value);
            _leavesAt = Now + Stop;
        }

        for (var i = decision.Current + _arrivals.Count; decision.Change == ScaleChange.Out && i < decision.Desired; i++)
        {
            _arrivals.Enqueue(Now + Start);
        }

        return decision;
    }

    private void Happen()
    {
        while (_arrivals.TryPeek(out var arrival) && arrival <= Now)
        {
            _arrivals.Dequeue();
            World.Join();
        }

        if (_standing.Victim is { } victim && _leavesAt <= Now)
        {
            World.Lose(victim);
            _standing = _standing with { Victim = null };
        }
    }
}
