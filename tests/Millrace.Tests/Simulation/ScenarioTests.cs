using Millrace.Simulation.Kernel;
using Millrace.Simulation.Runner;
using Millrace.Simulation.Scenarios;
using Xunit;

namespace Millrace.Tests.Simulation;

/// <summary>A few seeds of every scenario. Many more: <c>./test sim --seeds N</c>.</summary>
[Collection("Simulated scenarios")]
public sealed class ScenarioTests
{
    private const int FixedSeeds = 12;

    // Some of what is rare is seen by one seed in twenty.
    private const int MostSeeds = 120;

    public static TheoryData<string> Scenarios => [.. ScenarioList.All.Select(scenario => scenario.Name)];

    [Theory, MemberData(nameof(Scenarios))]
    public void Fixed_seeds_pass_and_see_the_rare_things(string name)
    {
        var scenario = Find(name);
        var coverage = new Coverage();
        for (var seed = 1UL; seed <= FixedSeeds || (seed <= MostSeeds && scenario.RareThings.Any(what => coverage[what] == 0)); seed++)
        {
            var result = SeedRunner.Run(scenario, seed);
            Assert.True(result.Passed, $"./test sim --scenario {name} --seed {seed} --seeds 1 --verbose: {result.Failure}");
            coverage.Add(result.Kernel.Coverage);
        }

        Assert.All(scenario.RareThings, what => Assert.True(coverage[what] > 0, $"Never seen: {what}"));
    }

    [Theory, MemberData(nameof(Scenarios))]
    public void The_same_seed_gives_the_same_trace(string name)
    {
        var scenario = Find(name);
        var first = Fingerprint(scenario, 1);
        Assert.Equal(first, Fingerprint(scenario, 1));
        var second = Fingerprint(scenario, 2);
        Assert.Equal(second, Fingerprint(scenario, 2));
        Assert.NotEqual(first, second);
    }

    private static IScenario Find(string name) => ScenarioList.All.Single(scenario => scenario.Name == name);

    private static (ulong Hash, ulong NextRandom, TimeSpan Now, long Steps, string LastLines) Fingerprint(IScenario scenario, ulong seed)
    {
        var kernel = SeedRunner.Run(scenario, seed).Kernel;
        return (kernel.Trace.Hash, kernel.Random.NextUInt64(), kernel.Now, kernel.Steps, string.Join('\n', kernel.Trace.Lines));
    }
}
