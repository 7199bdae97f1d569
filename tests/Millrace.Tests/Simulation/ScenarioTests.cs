using Millrace.Simulation;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Runner;
using Millrace.Simulation.Scenarios;
using Xunit;

namespace Millrace.Tests.Simulation;

/// <summary>A few seeds of every scenario. Many more: <c>./test sim --seeds N</c>.</summary>
public sealed class ScenarioTests
{
    private const int FixedSeeds = 20;

    // Some of what is rare is seen by one seed in twenty.
    private const int MostSeeds = 120;
    private const int SeedsForAFault = 500;

    // Mistakes that few seeds show are looked for from the one on that did so last.
    private static readonly Dictionary<PlantedFault, int> ShownBy = new()
    {
        [PlantedFault.CommitCompactionUnjudged] = 23,
        [PlantedFault.AcknowledgeByObject] = 39,
        [PlantedFault.GrantWithoutProof] = 56,
        [PlantedFault.ReadWhatMayHaveMoved] = 73,
        [PlantedFault.FenceBeforeLeaseEnds] = 79,
        [PlantedFault.TakeLookForLease] = 116,
        [PlantedFault.CountLeaseFromReceipt] = 133,
        [PlantedFault.TakeBackWhatMayHaveMoved] = 194,
    };

    public static TheoryData<string> Scenarios => [.. ScenarioList.All.Select(scenario => scenario.Name)];

    public static TheoryData<string, PlantedFault> Faults
    {
        get
        {
            var data = new TheoryData<string, PlantedFault>();
            foreach (var scenario in ScenarioList.All)
            {
                foreach (var fault in scenario.Faults)
                {
                    data.Add(scenario.Name, fault);
                }
            }

            return data;
        }
    }

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

    [Theory, MemberData(nameof(Faults))]
    public void A_planted_fault_is_found(string name, PlantedFault fault)
    {
        var scenario = Find(name);
        var seeds = Enumerable.Range(ShownBy.GetValueOrDefault(fault, 1), SeedsForAFault);
        Assert.Contains(seeds, seed => !SeedRunner.Run(scenario, (ulong)seed, fault).Passed);
    }

    [Theory, MemberData(nameof(Scenarios))]
    public void The_same_seed_gives_the_same_trace(string name)
    {
        var scenario = Find(name);
        for (var seed = 1UL; seed <= 3; seed++)
        {
            Assert.Equal(Fingerprint(scenario, seed), Fingerprint(scenario, seed));
        }

        Assert.NotEqual(Fingerprint(scenario, 1), Fingerprint(scenario, 2));
    }

    [Fact]
    public void Every_planted_fault_has_a_scenario_that_shows_it() =>
        Assert.Equal(Enum.GetValues<PlantedFault>(), ScenarioList.All.SelectMany(scenario => scenario.Faults).Distinct().Order());

    private static IScenario Find(string name) => ScenarioList.All.Single(scenario => scenario.Name == name);

    private static (ulong Hash, ulong NextRandom, TimeSpan Now, long Steps, string LastLines) Fingerprint(IScenario scenario, ulong seed)
    {
        var kernel = SeedRunner.Run(scenario, seed).Kernel;
        return (kernel.Trace.Hash, kernel.Random.NextUInt64(), kernel.Now, kernel.Steps, string.Join('\n', kernel.Trace.Lines));
    }
}
