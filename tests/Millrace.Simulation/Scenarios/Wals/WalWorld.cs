using Millrace.Runtime.Ids;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Storage;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>Machines on which one incarnation follows the other, each with a WAL of its own, and each recovering what others left.</summary>
internal sealed class WalWorld
{
    private const int EnoughAcknowledgements = 400;
    private const int AuditAttempts = 20;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);
    private readonly WalMedium _medium;
    private readonly SimulatedBucket _bucket;
    private readonly Machine[] _machines;
    private readonly PlantedFault? _fault;
    private Rot? _rot;
    private int _hosts;
    private NodeEpoch _latest;

    public WalWorld(SimulationKernel kernel, WalMedium medium, PlantedFault? fault)
    {
        Kernel = kernel;
        _medium = medium;
        _fault = fault;
        _bucket = new SimulatedBucket(kernel);
        _machines = [.. Enumerable.Range(0, medium.Machines).Select(i => NewMachine($"node{i}"))];
        Patience = TimeSpan.FromSeconds(medium.Machines - 1) * 5;
    }

    public SimulationKernel Kernel { get; }

    /// <summary>What the metadata knows, oldest first. Perfect here: this scenario is about the WAL alone.</summary>
    public List<WalOracle> Wals { get; } = [];

    /// <summary>How long a node leaves the others in peace at most.</summary>
    public TimeSpan Patience { get; }

    public bool IsRecovering { get; set; }

    /// <summary>WALs take each other's places on a device that all have attached.</summary>
    public bool IsShared => _medium.Volume is not null;

    /// <summary>Whether an incarnation may begin to acknowledge: where a device is shared, the metadata has fenced all but the latest.</summary>
    public bool MayOpen(NodeEpoch epoch) => _medium.Volume is null || epoch == _latest;

    public bool IsOver { get; private set; }

    public async Task RunAsync()
    {
        var chaos = new Chaos(Kernel, _bucket);
        chaos.Pranks.Add(() => Crash(Any(), cutPower: true));
        chaos.Pranks.Add(() => Crash(Any(), cutPower: true));
        chaos.Pranks.Add(() => Crash(Any(), cutPower: false));
        chaos.Pranks.Add(() => chaos.Sleep(Any().Node));
        chaos.Pranks.Add(() => Any().Node.SetClock());
        chaos.Pranks.Add(RunOutOfMemory);
        if (_medium.Machines == 1)
        {
            chaos.Pranks.Add(() => Any().Disk.Weather = DiskWeather.Draw(Kernel.Random));
            chaos.Pranks.Add(() => chaos.FillUp(Any().Disk));
        }

        Array.ForEach(_machines, machine => Start(machine, TimeSpan.Zero));
        await chaos.RunAsync(() => Kernel.Now >= Enough && Kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements);

        IsOver = true;
        Array.ForEach(_machines, machine => machine.ClearUp());
        // A disk is audited by its own machine; a bucket by somebody else, while zombies sleep.
        var auditor = _medium.Machines == 1 ? _machines[0] : NewMachine("auditor");
        Crash(auditor, cutPower: Kernel.Random.Chance(0.5));
        await AuditAsync(auditor);
        foreach (var machine in _machines.Where(machine => machine.Node.IsUp))
        {
            machine.Node.Resume();
        }

        await Kernel.Delay(TimeSpan.FromSeconds(60));
    }

    // Now and then something has rotted by then. A WAL in which acknowledged records are bad must say so; nothing else may come of it.
    private async Task AuditAsync(Machine auditor)
    {
        if (_medium.Volume is null && Kernel.Random.Chance(Rot.Share))
        {
            _rot = Rot.Of(_medium.Machines == 1
                ? auditor.Disk.Rot((path, content, position) => IsNeeded(path) && WalRot.IsNoticed(content(), position))
                : _bucket.Rot(IsNeeded));
        }

        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await StartNow(auditor, node => node.RecoverAsync());
                return;
            }
            catch (WalUnavailableException refused) when (IsOfRot(refused))
            {
                Kernel.Coverage.Count("wal: rot refused");
                return;
            }
            catch (WalUnavailableException taken) when (IsShared && taken.MayPass && attempt < AuditAttempts)
            {
                // Others that were about to recover it take the device from each other.
                auditor.Node.Kill();
                await Kernel.Delay(TimeSpan.FromSeconds(1));
            }
        }
    }

    private bool IsOfRot(WalUnavailableException refused) => refused.InnerException is not IOException && _rot?.IsNamedBy(refused) == true;

    private bool IsNeeded(string path) => Wals.Any(wal => !wal.IsFinished && path.StartsWith(wal.Descriptor.Location, StringComparison.Ordinal));

    private void RunOutOfMemory()
    {
        var machine = Any();
        machine.Memory.RunOut(Kernel.Random.Chance(0.3) ? () => CrashUnlessOver(machine, cutPower: false) : null);
    }

    private Machine Any() => Kernel.Random.Pick(_machines);

    private Machine NewMachine(string name)
    {
        var disk = new SimulatedDisk(Kernel, name);
        var host = _hosts++;
        var machine = new Machine(
            new SimulatedNode(Kernel, name, lane => _medium.Volume is { } volume
                ? volume.FilesOf(host, disk.Mount(lane), _fault)
                : new PlantedFileSystem(disk.Mount(lane), _fault, () => IsRecovering)),
            disk,
            new SimulatedMemory(Kernel, name),
            host);
        machine.Node.OnFailed = failure => OnFailed(machine, failure);
        return machine;
    }

    // A process that has no memory for what it must do gives up, and is started again.
    private void OnFailed(Machine machine, Exception failure)
    {
        if (failure.InnerException is not OutOfMemoryException)
        {
            Kernel.Fail(failure);
            return;
        }

        Kernel.Coverage.Count("wal: node lost for want of memory");
        var lane = machine.Node.Lane;
        Kernel.At(Kernel.Now, Kernel.World, () =>
        {
            if (machine.Node.Lane == lane)
            {
                CrashUnlessOver(machine, cutPower: false);
            }
        });
    }

    private void Crash(Machine machine, bool cutPower)
    {
        if (!machine.Node.IsUp)
        {
            return;
        }

        if (IsRecovering)
        {
            Kernel.Coverage.Count("wal: killed in the middle of a recovery");
        }

        Kernel.Coverage.Count("nodes: killed");
        machine.Node.Kill();
        if (cutPower)
        {
            machine.Disk.CutPower();
            _medium.Volume?.CutPower(machine.Host);
        }

        if (!IsOver)
        {
            var down = Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1));
            Start(machine, down);
            if (Kernel.Random.Chance(0.5))
            {
                // And again, in the middle of its recovery.
                var again = down + machine.Disk.Weather.Latency * Kernel.Random.Next(1, 40);
                Kernel.At(Kernel.Now + again, Kernel.World, () => CrashUnlessOver(machine, Kernel.Random.Chance(0.5)));
            }
        }
    }

    private void CrashUnlessOver(Machine machine, bool cutPower)
    {
        if (!IsOver)
        {
            Crash(machine, cutPower);
        }
    }

    private void Start(Machine machine, TimeSpan delay) => Kernel.At(Kernel.Now + delay, Kernel.World, () => _ = LiveAsync(machine));

    // A node that ends by itself, with a failed WAL or a clean one, is started again like a crashed one.
    private async Task LiveAsync(Machine machine)
    {
        if (IsOver || machine.Node.IsUp)
        {
            return;
        }

        try
        {
            await StartNow(machine, node => node.RunAsync());
        }
        catch (WalUnavailableException refused) when (IsOfRot(refused))
        {
            Kernel.Coverage.Count("wal: rot refused");
        }
        catch (Exception violation)
        {
            Kernel.Fail(violation);
        }

        machine.Node.Kill();
        Start(machine, TimeSpan.FromMilliseconds(100));
    }

    private Task StartNow(Machine machine, Func<WalNode, Task> life)
    {
        IsRecovering = false;
        machine.Memory.Recover();
        var epoch = _latest = new NodeEpoch(_latest.Value + 1);
        return machine.Node.Start(runtime =>
        {
            var provider = _medium.Create(runtime, Kernel.NewBufferPool(machine.Memory), _bucket.Connect(machine.Node.Lane!), epoch);
            return provider.IsCompletedSuccessfully ? LiveAs(provider.Result) : LiveWhenMade(provider);

            async Task LiveWhenMade(ValueTask<IWalProvider> making) => await LiveAs(await making);

            Task LiveAs(IWalProvider made) => life(new WalNode(this, runtime, machine.Unfinished, made, epoch));
        });
    }

    private sealed record Machine(SimulatedNode Node, SimulatedDisk Disk, SimulatedMemory Memory, int Host)
    {
        public UnfinishedWals Unfinished { get; } = new(Disk, WalMedium.Folder);

        public void ClearUp()
        {
            Disk.Weather = DiskWeather.Calm;
            Disk.Space.Free();
            Memory.Recover();
        }
    }
}
