using Millrace.Simulation.Network;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>What is done to the brokers of one world, at random: they are killed, stopped and paused, and cut off.</summary>
internal sealed class ClusterPranks(ClusterWorld world)
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(30);
    private readonly ClusterCuts _cuts = new(world);

    /// <summary>How the network between clients and brokers behaves.</summary>
    public NetworkWeather Weather { get; private set; } = NetworkWeather.Calm;

    public Chaos NewChaos() => world.Plot == ClusterPlot.HandOvers ? LateAnswers() : Everything();

    private Chaos LateAnswers()
    {
        var chaos = new Chaos(world.Kernel, world.Bucket) { LongestCalm = TimeSpan.FromSeconds(8), IsStoreWell = true, Begins = world.Oracle.FaultBegins };
        chaos.Pranks.AddRange(
        [
            _cuts.SilenceController, _cuts.SilenceController, _cuts.AnswerLate, _cuts.CutWriter, _cuts.Reset, () => world.Any().Kill(),
        ]);
        return chaos;
    }

    private Chaos Everything()
    {
        // In some worlds there is hardly time to recover between two pranks, in others all work is done with one broker less.
        var calm = TimeSpan.FromSeconds(world.Kernel.Random.Pick([8, 16, 30]));
        var hasFavourite = world.Kernel.Random.Chance(0.5);
        var chaos = new Chaos(world.Kernel, world.Bucket) { LongestCalm = calm, IsStoreWell = hasFavourite, Begins = world.Oracle.FaultBegins };
        chaos.Pranks.AddRange(
        [
            () => world.Any().Kill(),
            () => world.Leader().Kill(),
            KillAll,
            KillOneAfterAnother,
            () => world.Any().Stop(),
            () => Sleep(chaos, world.Any()),
            () => Sleep(chaos, world.Leader()),
            _cuts.FromStore,
            _cuts.WritesToStore,
            _cuts.Swallow,
            _cuts.Isolate,
            _cuts.Split,
            _cuts.AnswerLate,
            _cuts.Strand,
            _cuts.CutWriter,
            _cuts.Reset,
            WeatherChanges,
            () => world.Any().Node.SetClock(),
        ]);
        if (hasFavourite)
        {
            // What needs several things to come together hardly ever finds them, unless it is tried again and again, and nothing else goes wrong.
            var favourite = world.Kernel.Random.Pick<Action>([_cuts.Isolate, _cuts.Split, _cuts.AnswerLate, _cuts.Strand, _cuts.CutWriter]);
            chaos.Pranks.AddRange(Enumerable.Repeat(favourite, chaos.Pranks.Count));
        }

        return chaos;
    }

    /// <summary>Nothing that was to come later comes any more.</summary>
    public void End()
    {
        Weather = NetworkWeather.Calm;
        _cuts.End();
    }

    private static void Sleep(Chaos chaos, ClusterMachine machine)
    {
        machine.Trouble(LongestSleep);
        chaos.Sleep(machine.Node);
    }

    /// <summary>Some or all at once.</summary>
    private void KillAll()
    {
        var killed = world.Kernel.Random.Next(2, world.Machines.Count + 1);
        foreach (var machine in world.Machines.Take(killed))
        {
            machine.Kill();
        }

        world.Kernel.Coverage.Count(killed == world.Machines.Count ? "nodes: all killed" : "nodes: several killed");
    }

    /// <summary>One, and a moment later another, which may be recovering what the first one left, or have planned it.</summary>
    private void KillOneAfterAnother()
    {
        var kernel = world.Kernel;
        var first = world.Any();
        first.Kill();
        kernel.At(kernel.Now + kernel.Random.Between(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(4)), kernel.World, () =>
        {
            var second = kernel.Random.Chance(0.3) ? world.Leader() : world.Any();
            kernel.Coverage.Count("nodes: killed one after another", second == first ? 0 : 1);
            second.Kill();
        });
    }

    private void WeatherChanges()
    {
        Weather = NetworkWeather.Draw(world.Kernel.Random);
        world.Kernel.Trace.Note($"{Weather}");
    }
}
