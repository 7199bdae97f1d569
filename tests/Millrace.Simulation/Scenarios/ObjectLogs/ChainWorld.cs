using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Storage;

namespace Millrace.Simulation.Scenarios.ObjectLogs;

/// <summary>Several nodes, one bucket, one chain.</summary>
internal sealed class ChainWorld
{
    private const string Prefix = "metadata/";
    private const int EnoughAcknowledgements = 250;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);
    private readonly SimulatedBucket _bucket;
    private readonly SimulatedNode[] _nodes;
    private readonly ObjectLogOptions _options;
    private readonly PlantedFault? _fault;
    private Rot? _rot;

    public ChainWorld(SimulationKernel kernel, PlantedFault? fault)
    {
        Kernel = kernel;
        Oracle = new ChainOracle(kernel);
        _fault = fault;
        _bucket = new SimulatedBucket(kernel) { Created = NoteCreated };
        _nodes = [.. Enumerable.Range(0, kernel.Random.Next(2, 5))
            .Select(i => new SimulatedNode(kernel, $"node{i}", lane => new SimulatedDisk(kernel, "none").Mount(lane)))];
        _options = new ObjectLogOptions
        {
            InFlight = kernel.Random.Pick([1, 2, 4]),
            ReadAhead = kernel.Random.Next(1, 6),
            RequestTimeout = kernel.Random.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(3)),
        };
        Snapshots = [new ChainSnapshot(LogStart.Beginning(), 0)];
    }

    public SimulationKernel Kernel { get; }

    public ChainOracle Oracle { get; }

    /// <summary>Verified and durable, by assumption: this scenario is about the log alone.</summary>
    public List<ChainSnapshot> Snapshots { get; }

    public ChainSnapshot NewestSnapshot => Snapshots.MaxBy(snapshot => snapshot.Start.Next)!;

    public bool IsOver { get; private set; }

    public async Task RunAsync()
    {
        var chaos = new Chaos(Kernel, _bucket);
        chaos.Pranks.Add(KillOne);
        chaos.Pranks.Add(() => Kernel.Random.Pick(_nodes).SetClock());
        chaos.Pranks.Add(() => chaos.Sleep(Kernel.Random.Pick(_nodes)));
        chaos.Pranks.Add(() => chaos.Sleep(Kernel.Random.Pick(_nodes)));
        foreach (var node in _nodes)
        {
            Start(node);
        }

        await chaos.RunAsync(() => Kernel.Now >= Enough && Oracle.Acknowledgements >= EnoughAcknowledgements);
        IsOver = true;

        // Whoever still sleeps stays a zombie until the auditor has everything, and then wakes.
        var auditor = new SimulatedNode(Kernel, "auditor", lane => new SimulatedDisk(Kernel, "none").Mount(lane));
        _rot = Kernel.Random.Chance(Rot.Share) ? Rot.Of(_bucket.Rot(IsRead)) : null;
        try
        {
            await Run(auditor, member => member.AuditAsync());
        }
        catch (ObjectLogException refused) when (IsOfRot(refused))
        {
            Kernel.Coverage.Count("log: rot refused");
            return;
        }

        foreach (var node in _nodes.Where(node => node.IsUp))
        {
            node.Resume();
        }

        await Kernel.Delay(TimeSpan.FromSeconds(120));
        Oracle.CheckAll();
    }

    /// <summary>An owner says it was fenced: somebody must have written into its term.</summary>
    public void CheckFenced(long term)
    {
        if (!_bucket.Keys(Prefix + "LOG/").Any(key => Read(key) is { IsSeal: true } seal && seal.Place.Term == term))
        {
            throw new ViolationException($"The owner of term {term} was fenced, and nobody has sealed that term");
        }
    }

    private bool IsRead(string key) => Read(key) is { } entry && NewestSnapshot.Start.Next <= entry.Place;

    // What has rotted is not served, and not passed over: whoever reads it is told.
    private bool IsOfRot(ObjectLogException refused) => refused.Error == ObjectLogError.Corrupt && _rot?.IsNamedBy(refused) == true;

    private void Start(SimulatedNode node) => _ = WatchAsync(Run(node, member => member.RunAsync()));

    private Task Run(SimulatedNode node, Func<ChainMember, Task> life) => node.Start(runtime =>
    {
        var lane = node.Lane!;
        var rules = new PlantedLogRules(_fault, runtime.Random);
        return life(new ChainMember(this, runtime, lane, new ObjectLog(runtime, _bucket.Connect(lane), Prefix, _options, rules)));
    });

    private async Task WatchAsync(Task life)
    {
        try
        {
            await life;
        }
        catch (ObjectLogException refused) when (IsOfRot(refused))
        {
            Kernel.Coverage.Count("log: rot refused");
        }
        catch (Exception violation)
        {
            Kernel.Fail(violation);
        }
    }

    private void KillOne()
    {
        var node = Kernel.Random.Pick(_nodes);
        if (node.IsUp)
        {
            node.Kill();
            Kernel.Coverage.Count("nodes: killed");
            Kernel.At(Kernel.Now + Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3)), Kernel.World, () =>
            {
                if (!IsOver)
                {
                    Start(node);
                }
            });
        }
    }

    private LogObject? Read(string key) => LogObjectFormat.Read(_bucket.Peek(key), whole: false);

    private void NoteCreated(string key)
    {
        if (key.StartsWith(Prefix + "LOG/", StringComparison.Ordinal) && Read(key) is { IsSeal: false } entry &&
            _bucket.Keys(key[..^16]).Any(other => string.CompareOrdinal(other, key) < 0 && Read(other) is { IsSeal: true }))
        {
            Kernel.Coverage.Count("log: entry landed beyond a seal");
        }
    }
}
