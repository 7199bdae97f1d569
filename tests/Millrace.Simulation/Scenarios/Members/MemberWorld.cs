using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Storage;

namespace Millrace.Simulation.Scenarios.Members;

/// <summary>A few machines, one bucket, and the network between them.</summary>
internal sealed class MemberWorld
{
    private const int EnoughAcknowledgements = 250;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan HealsWithin = TimeSpan.FromSeconds(30);

    private readonly MemberMachine[] _machines;

    public MemberWorld(SimulationKernel kernel)
    {
        Kernel = kernel;
        Bucket = new SimulatedBucket(kernel);
        Network = new SimulatedNetwork(kernel);
        Oracle = new MemberOracle(kernel);
        _machines = [.. Enumerable.Range(0, kernel.Random.Next(2, 5)).Select(number => new MemberMachine(this, $"m{number}"))];
    }

    public SimulationKernel Kernel { get; }

    public SimulatedBucket Bucket { get; }

    public SimulatedNetwork Network { get; }

    public MemberOracle Oracle { get; }

    public bool IsOver { get; private set; }

    public async Task RunAsync()
    {
        var chaos = new Chaos(Kernel, Bucket);
        chaos.Pranks.Add(() => Any().Kill());
        chaos.Pranks.Add(() => chaos.Sleep(Any().Node));
        chaos.Pranks.Add(Swallow);
        chaos.Pranks.Add(Reset);
        foreach (var machine in _machines)
        {
            machine.Start(Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)));
        }

        await chaos.RunAsync(() => Kernel.Now >= Enough && Kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements);
        Network.Heal();
        foreach (var machine in _machines)
        {
            if (machine.Node.IsUp)
            {
                machine.Node.Resume();
            }
        }

        await ExpectCalmAsync();
    }

    /// <summary>Soon all are members, follow one and the same controller, and know all that was done.</summary>
    private async Task ExpectCalmAsync()
    {
        var acknowledged = Kernel.Coverage[CoverageNames.Acknowledged];
        var until = Kernel.Now + HealsWithin;
        while (!_machines.All(machine => machine.Member is not null) || _machines.Count(machine => machine.Member?.Local is not null) != 1
            || Kernel.Coverage[CoverageNames.Acknowledged] == acknowledged)
        {
            if (Kernel.Now > until)
            {
                throw new ViolationException(
                    $"{HealsWithin.TotalSeconds} s after all trouble the cluster is not whole: "
                    + string.Join(", ", _machines.Select(machine => $"{machine.Node.Name} {(machine.Member is null ? "has not joined"
                        : machine.Member.Local is null ? "follows" : "leads")}")));
            }

            await Kernel.Delay(TimeSpan.FromMilliseconds(100));
        }

        IsOver = true;
        await Kernel.Delay(TimeSpan.FromSeconds(15));
        foreach (var machine in _machines)
        {
            Oracle.Audit(machine.Member!.Metadata.Image);
        }
    }

    private void Swallow()
    {
        var (one, other) = (Any().Node.Name, Any().Node.Name);
        Network.Swallow(one, other, Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(8)));
        if (Kernel.Random.Chance(0.5))
        {
            Network.Swallow(other, one, Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(8)));
        }

        Kernel.Coverage.Count("network: swallowed");
    }

    private void Reset()
    {
        Network.Reset(Any().Node.Name, Any().Node.Name);
        Kernel.Coverage.Count("network: connections cut");
    }

    private MemberMachine Any() => Kernel.Random.Pick(_machines);
}
