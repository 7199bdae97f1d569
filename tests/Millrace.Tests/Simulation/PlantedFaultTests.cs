using Millrace.Simulation;
using Millrace.Simulation.Runner;
using Millrace.Simulation.Scenarios;
using Xunit;

namespace Millrace.Tests.Simulation;

/// <summary>Each mistake that can be planted is found by its scenario: what looks for violations sees them.</summary>
[Collection("Simulated mistakes")]
public sealed class PlantedFaultTests
{
    private const int SeedsForAFault = 500;

    // Mistakes that few seeds show are looked for from the one on that did so last.
    private static readonly Dictionary<PlantedFault, int> ShownBy = new()
    {
        [PlantedFault.AcknowledgeBeforeDurable] = 11,
        [PlantedFault.ReadWhatMayHaveMoved] = 47,
        [PlantedFault.GrantWithoutProof] = 81,
        [PlantedFault.FenceBeforeLeaseEnds] = 12,
        [PlantedFault.CommitCompactionUnjudged] = 11,
        [PlantedFault.CountLeaseFromReceipt] = 12,
        [PlantedFault.AcknowledgeByObject] = 82,
        [PlantedFault.TakeLookForLease] = 106,
    };

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

    [Theory, MemberData(nameof(Faults))]
    public void A_planted_fault_is_found(string name, PlantedFault fault)
    {
        var scenario = ScenarioList.All.Single(scenario => scenario.Name == name);
        var seeds = Enumerable.Range(ShownBy.GetValueOrDefault(fault, 1), SeedsForAFault);
        Assert.Contains(seeds, seed => !SeedRunner.Run(scenario, (ulong)seed, fault).Passed);
    }

    [Fact]
    public void Every_planted_fault_has_a_scenario_that_shows_it() =>
        Assert.Equal(Enum.GetValues<PlantedFault>(), ScenarioList.All.SelectMany(scenario => scenario.Faults).Distinct().Order());
}
