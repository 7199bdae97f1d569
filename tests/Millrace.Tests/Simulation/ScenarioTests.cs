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
        var scenario = ScenarioList.All.Single(known => known.Name == name);
        var coverage = new Coverage();
        for (var seed = 1UL; seed <= FixedSeeds || (seed <= MostSeeds && scenario.RareThings.Any(what => coverage[what] == 0)); seed++)
        {
            var result = SeedRunner.Run(scenario, seed);
            Assert.True(result.Passed, $"./test sim --scenario {name} --seed {seed} --seeds 1 --verbose: {result.Failure}");
            coverage.Add(result.Kernel.Coverage);
        }

        Assert.All(scenario.RareThings, what => Assert.True(coverage[what] > 0, $"Never seen: {what}"));
    }
}
