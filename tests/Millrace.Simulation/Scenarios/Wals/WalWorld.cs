using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Storage;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>One machine, on which one incarnation follows the other, each with a WAL of its own.</summary>
internal sealed class WalWorld
{
    private const int EnoughAcknowledgements = 400;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);
    private readonly WalMedium _medium;
    private readonly SimulatedBucket _bucket;
    private readonly SimulatedDisk _disk;
    private readonly SimulatedNode _node;
    private readonly PlantedFault? _fault;
    private bool _isAudit;

    public WalWorld(SimulationKernel kernel, WalMedium medium, PlantedFault? fault)
    {
        Kernel = kernel;
        _medium = medium;
        _fault = fault;
        _bucket = new SimulatedBucket(kernel);
        _disk = new SimulatedDisk(kernel, "machine");
        _node = new SimulatedNode(kernel, "node", lane => new PlantedFileSystem(_disk.Mount(lane), _fault, () => IsRecovering));
    }

    public SimulationKernel Kernel { get; }

    /// <summary>What the metadata knows, oldest first. Perfect here: this scenario is about the WAL alone.</summary>
    public List<WalOracle> Wals { get; } = [];

    public bool IsRecovering { get; set; }

    public bool IsOver { get; private set; }

    public async Task RunAsync()
    {
        var chaos = new Chaos(Kernel, _bucket);
        chaos.Pranks.Add(() => Crash(cutPower: true));
        chaos.Pranks.Add(() => Crash(cutPower: true));
        chaos.Pranks.Add(() => Crash(cutPower: false));
        chaos.Pranks.Add(() => chaos.Sleep(_node));
        chaos.Pranks.Add(() => _disk.Weather = DiskWeather.Draw(Kernel.Random));
        Start(TimeSpan.Zero);
        await chaos.RunAsync(() => Kernel.Now >= Enough && Kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements);

        IsOver = true;
        _disk.Weather = DiskWeather.Calm;
        Crash(cutPower: Kernel.Random.Chance(0.5));
        _isAudit = true;
        await StartNow();
    }

    private void Crash(bool cutPower)
    {
        if (_isAudit || !_node.IsUp)
        {
            return;
        }

        if (IsRecovering)
        {
            Kernel.Coverage.Count("wal: killed in the middle of a recovery");
        }

        Kernel.Coverage.Count("nodes: killed");
        _node.Kill();
        if (cutPower)
        {
            _disk.CutPower();
        }

        if (!IsOver)
        {
            var down = Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1));
            Start(down);
            if (Kernel.Random.Chance(0.5))
            {
                // And again, in the middle of its recovery.
                var again = down + _disk.Weather.Latency * Kernel.Random.Next(1, 40);
                Kernel.At(Kernel.Now + again, Kernel.World, () => Crash(Kernel.Random.Chance(0.5)));
            }
        }
    }

    // A node that ends by itself, with a failed WAL or a clean one, is started again like a crashed one.
    private void Start(TimeSpan delay) => Kernel.At(Kernel.Now + delay, Kernel.World, () => _ = WatchAsync());

    private async Task WatchAsync()
    {
        if (IsOver)
        {
            return;
        }

        try
        {
            await StartNow();
        }
        catch (Exception violation)
        {
            Kernel.Fail(violation);
        }

        if (!IsOver)
        {
            _node.Kill();
            Start(TimeSpan.FromMilliseconds(100));
        }
    }

    private Task StartNow()
    {
        IsRecovering = false;
        return _node.Start(runtime =>
        {
            var node = new WalNode(this, runtime, _medium.Create(runtime, Kernel.NewBufferPool(), _bucket.Connect(_node.Lane!)));
            return _isAudit ? node.RecoverAsync() : node.RunAsync();
        });
    }
}
