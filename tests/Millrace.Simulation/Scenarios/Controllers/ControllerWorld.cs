using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Storage;
using Millrace.Streams.Objects;

namespace Millrace.Simulation.Scenarios.Controllers;

/// <summary>A few machines, one bucket, one cluster.</summary>
internal sealed class ControllerWorld
{
    private const int EnoughAcknowledgements = 220;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);

    private readonly SimulatedBucket _bucket;
    private readonly SimulatedNode[] _nodes;
    private Rot? _rot;

    public ControllerWorld(SimulationKernel kernel)
    {
        Kernel = kernel;
        Oracle = new ControllerOracle(kernel);
        _bucket = new SimulatedBucket(kernel);
        _nodes = [.. Enumerable.Range(0, kernel.Random.Next(2, 4)).Select(i => NewNode($"node{i}"))];
    }

    public SimulationKernel Kernel { get; }

    public ControllerOracle Oracle { get; }

    public bool IsOver { get; private set; }

    public async Task RunAsync()
    {
        var chaos = new Chaos(Kernel, _bucket);
        chaos.Pranks.Add(KillOne);
        chaos.Pranks.Add(() => chaos.Sleep(Kernel.Random.Pick(_nodes)));
        chaos.Pranks.Add(() => Kernel.Random.Pick(_nodes).SetClock());
        foreach (var node in _nodes)
        {
            Start(node);
        }

        await chaos.RunAsync(() => Kernel.Now >= Enough && Kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements);
        IsOver = true;
        _rot = Kernel.Random.Chance(Rot.Share) ? Rot.Of(_bucket.Rot(key => !key.StartsWith(DataObjectKey.Prefix, StringComparison.Ordinal))) : null;
        try
        {
            await AuditAsync(NewNode("auditor"));
        }
        catch (ObjectLogException refused) when (IsOfRot(refused))
        {
            Kernel.Coverage.Count("controllers: rot refused");
        }

        if (_bucket.Keys(DataObjectKey.Prefix).Count() < Oracle.Uploads)
        {
            Kernel.Coverage.Count("controllers: object deleted");
        }
    }

    private Task AuditAsync(SimulatedNode auditor) =>
        auditor.Start(async runtime =>
        {
            var state = await new ControllerLife(this, runtime, _bucket.Connect(auditor.Lane!)).AuditAsync();

            // Zombies wake: whatever they are told now must have been in the log before the auditor sealed it.
            foreach (var node in _nodes.Where(node => node.IsUp))
            {
                node.Resume();
            }

            await Task.Delay(TimeSpan.FromSeconds(90), runtime.Time);
            Oracle.CheckAll(state, _bucket);
        });

    // What has rotted is not served, and not passed over: whoever reads it is told.
    private bool IsOfRot(Exception? refused) => refused is ObjectLogException { Error: ObjectLogError.Corrupt } && _rot?.IsNamedBy(refused) == true;

    private SimulatedNode NewNode(string name)
    {
        var node = new SimulatedNode(Kernel, name, lane => new SimulatedDisk(Kernel, "none").Mount(lane));
        node.OnFailed = failure =>
        {
            if (failure.InnerException is ObjectLogException { Error: ObjectLogError.Fenced })
            {
                Kernel.Coverage.Count("controllers: deposed");
            }
            else if (IsOfRot(failure.InnerException))
            {
                Kernel.Coverage.Count("controllers: rot refused");
            }
            else
            {
                Kernel.Fail(failure);
            }
        };
        return node;
    }

    private void Start(SimulatedNode node) => _ = WatchAsync(node);

    private async Task WatchAsync(SimulatedNode node)
    {
        try
        {
            await node.Start(runtime => new ControllerLife(this, runtime, _bucket.Connect(node.Lane!)).RunAsync());

            // Its controller was deposed: the process ends, and comes again.
            await Kernel.Delay(TimeSpan.FromMilliseconds(100));
            if (node.IsUp && !IsOver)
            {
                node.Kill();
                Start(node);
            }
        }
        catch (ObjectLogException refused) when (IsOfRot(refused))
        {
            Kernel.Coverage.Count("controllers: rot refused");
        }
        catch (Exception violation)
        {
            Kernel.Fail(violation);
        }
    }

    private void KillOne()
    {
        var node = Kernel.Random.Pick(_nodes);
        if (!node.IsUp)
        {
            return;
        }

        node.Kill();
        Kernel.Coverage.Count("nodes: killed");
        Kernel.At(Kernel.Now + Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3)), Kernel.World, () =>
        {
            if (!IsOver && !node.IsUp)
            {
                Start(node);
            }
        });
    }
}
