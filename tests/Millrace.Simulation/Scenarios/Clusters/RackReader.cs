using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios.Brokers;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// A consumer that says which rack it is in, and reads on through a partition wherever it is sent; now and then it goes to somewhere else in it.
/// </summary>
/// <param name="kernel">Its world.</param>
/// <param name="route">Its rack, and the way there.</param>
/// <param name="reader">Fetches.</param>
internal sealed class RackReader(SimulationKernel kernel, RackRoute route, PartitionReader reader)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);
    private readonly SeededRandom _random = new(kernel.Random.NextUInt64());

    public async Task RunAsync(Func<bool> isOver)
    {
        var next = 0L;
        while (!isOver())
        {
            try
            {
                next = _random.Chance(0.02) ? _random.NextInt64(reader.Oracle.End + 1) : next;
                next = await reader.FetchAsync(next) ?? next;
            }
            catch (IOException)
            {
                // The client has counted it.
                route.GiveUp();
            }

            await kernel.Delay(_random.Between(TimeSpan.Zero, LongestPause));
        }
    }
}
