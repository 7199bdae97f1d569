using Millrace.Simulation.Runner;
using Millrace.Simulation.Scenarios;
using Xunit;

namespace Millrace.Tests.Simulation;

/// <summary>That a seed is all that a world depends on.</summary>
public sealed class SameSeedTests
{
    public static TheoryData<string> Scenarios => ScenarioTests.Scenarios;

    [Theory, MemberData(nameof(Scenarios))]
    public void The_same_seed_gives_the_same_trace(string name)
    {
        var scenario = ScenarioList.All.Single(known => known.Name == name);
        var first = Fingerprint(scenario, 1);
        Assert.Equal(first, Fingerprint(scenario, 1));
        var second = Fingerprint(scenario, 2);
        Assert.Equal(second, Fingerprint(scenario, 2));
        Assert.NotEqual(first, second);
    }

    private static (ulong Hash, ulong NextRandom, TimeSpan Now, long Steps, string LastLines) Fingerprint(IScenario scenario, ulong seed)
    {
        var kernel = SeedRunner.Run(scenario, seed).Kernel;
        return (kernel.Trace.Hash, kernel.Random.NextUInt64(), kernel.Now, kernel.Steps, string.Join('\n', kernel.Trace.Lines));
    }
}
