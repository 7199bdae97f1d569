using Millrace.Controller;
using Millrace.Controller.Log;
using Millrace.Metadata.Channel;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.File;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Scenarios.Wals;
using Millrace.Simulation.Storage;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;
using Millrace.Streams.Wal.Object;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>
/// A cluster without Kafka: either several machines on one bucket with WALs in it, each taking over from the others; or one
/// machine whose folder is the bucket, with a file WAL beside it.
/// </summary>
internal sealed class StoreWorld
{
    private const int EnoughAcknowledgements = 300;
    private const string Folder = "/data/store/";
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);
    private readonly bool _onOneMachine;
    private readonly SimulatedBucket _bucket;
    private readonly Machine[] _machines;
    private readonly long _walCapacity;
    private TaskCompletionSource _auditIsDeposed = new();
    private bool _isAudit;
    private Rot? _rot;

    public StoreWorld(SimulationKernel kernel, bool onOneMachine, PlantedFault? fault)
    {
        Fault = fault;
        Kernel = kernel;
        _onOneMachine = onOneMachine;
        _bucket = new SimulatedBucket(kernel);
        var random = kernel.Random;
        _machines = [.. Enumerable.Range(0, onOneMachine ? 1 : random.Next(2, 4)).Select(i => NewMachine($"node{i}"))];
        Patience = TimeSpan.FromSeconds(_machines.Length - 1) * 20;
        WantedStreams = random.Next(1, 4);
        LogOptions = new MetadataLogOptions { SnapshotEntries = random.Next(5, 60), SnapshotPartBytes = 500 };
        StreamsOptions = new StreamsOptions
        {
            NotUploadedBytes = 512 << 10,
            UploadBytes = random.Pick([8 << 10, 64 << 10, 256 << 10]),
            UploadInterval = random.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5)),
            UploadsAtOnce = random.Next(1, 4),
            StreamObjectBytes = random.Pick([4 << 10, 64 << 10]),
            DataBlockBytes = random.Pick([1 << 10, 16 << 10]),
            TailCacheBytes = random.Pick([0, 64 << 10]),
            BlockCacheBytes = random.Pick([16 << 10, 256 << 10]),
            IndexCacheBytes = 64 << 10,
            ReadAheadBytes = 16 << 10,
        };

        // The small one is full most of the time: appends wait for uploads, and no upload may wait for them.
        _walCapacity = random.Pick([72 << 10, 2 << 20]);
    }

    public SimulationKernel Kernel { get; }

    public PlantedFault? Fault { get; }

    public List<StreamOracle> Streams { get; } = [];

    public int WantedStreams { get; }

    public StreamsOptions StreamsOptions { get; }

    public MetadataLogOptions LogOptions { get; }

    public ClusterControllerOptions ControllerOptions { get; } = new()
    {
        PrepareDeadline = TimeSpan.FromSeconds(30),
        DeletionDelay = TimeSpan.FromSeconds(60),
        CollectionInterval = TimeSpan.FromSeconds(5),
        SweepInterval = TimeSpan.FromSeconds(20),
    };

    /// <summary>The newest incarnation that has registered; all others are fenced.</summary>
    public NodeEpoch NewestEpoch { get; set; }

    public TimeSpan Patience { get; }

    /// <summary>Somebody was told that it is fenced. Only a newer incarnation does that: a controller that is lost fences nobody.</summary>
    public void CheckFence(NodeEpoch told)
    {
        if (told == NewestEpoch)
        {
            Kernel.Fail(new ViolationException($"The newest incarnation, epoch {told}, was told that it is fenced"));
        }
    }

    public bool IsOver { get; private set; }

    public async Task RunAsync()
    {
        var chaos = new Chaos(Kernel, _bucket) { LongestCalm = TimeSpan.FromSeconds(12) };
        chaos.Pranks.Add(() => Crash(Any()));
        chaos.Pranks.Add(() => chaos.Sleep(Any().Node));
        chaos.Pranks.Add(() => chaos.Sleep(Any().Node));
        chaos.Pranks.Add(() => Any().Node.SetClock());
        chaos.Pranks.Add(RunOutOfMemory);
        if (_onOneMachine)
        {
            chaos.Pranks.Add(() => chaos.FillUp(Any().Disk));
            SlowDiskDown();
            chaos.Pranks.Add(SlowDiskDown);
            chaos.Pranks.Add(() => chaos.WhenBusy(Any().Disk, () => CrashUnlessOver(Any())));
        }

        Array.ForEach(_machines, machine => Start(machine, TimeSpan.Zero));
        await chaos.RunAsync(() => Kernel.Now >= Enough && Kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements);

        IsOver = true;
        Array.ForEach(_machines, machine => machine.ClearUp());
        foreach (var machine in _machines.Where(machine => machine.Node.IsUp))
        {
            // Zombies: they wake when the auditor has everything.
            machine.Node.Pause();
        }

        var auditor = _onOneMachine ? _machines[0] : NewMachine("auditor");
        Crash(auditor);
        _isAudit = true;
        if (Kernel.Random.Chance(Rot.Share))
        {
            _rot = Rot.Of(_onOneMachine
                ? auditor.Disk.Rot((path, _, _) => IsOfStore(path))?[Folder.Length..]
                : _bucket.Rot(_ => true));
        }

        await AuditAsync(auditor);
        foreach (var machine in _machines.Where(machine => machine.Node.IsUp))
        {
            machine.Node.Resume();
        }

        await Kernel.Delay(TimeSpan.FromSeconds(60));
    }

    // A seal that a zombie had sent off before it fell asleep may still arrive and depose the auditor.
    private async Task AuditAsync(Machine auditor)
    {
        while (true)
        {
            _auditIsDeposed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            try
            {
                var audit = RunIncarnation(auditor);
                await Waiting.Either(audit, _auditIsDeposed.Task);
                if (audit.IsCompleted)
                {
                    await audit;
                    return;
                }
            }
            catch (Exception lost) when (lost is StreamException { Error: StreamError.ControllerLost or StreamError.Fenced }
                or ControllerException { Error: ControllerError.ControllerLost })
            {
                Kernel.Coverage.Count("store: audits begun again");
            }
            catch (Exception refused) when (IsOfRot(refused))
            {
                Kernel.Coverage.Count("store: rot refused");
                return;
            }

            auditor.Node.Kill();
        }
    }

    // What a crash left among the unfinished ones may be an object by its other name.
    private static bool IsOfStore(string path) =>
        path.StartsWith(Folder, StringComparison.Ordinal) && !path.StartsWith(Folder + FileObjectStorage.TemporaryFolder, StringComparison.Ordinal);

    // What has rotted is not served: whoever asks for it is told.
    private bool IsOfRot(Exception refused) =>
        refused is StreamException { Error: StreamError.Corrupt } or ObjectLogException { Error: ObjectLogError.Corrupt } or WalUnavailableException
        && _rot?.IsNamedBy(refused) == true;

    private void RunOutOfMemory()
    {
        var machine = Any();
        if (Kernel.Random.Chance(0.5))
        {
            // Often enough: most of these end an incarnation, and the next one has to recover what it left.
            return;
        }

        machine.Memory.RunOut(Kernel.Random.Chance(0.3) ? () => CrashUnlessOver(machine) : null);
    }

    private Machine Any() => Kernel.Random.Pick(_machines);

    // Errors of the disk are the WAL scenarios' matter: here they would only end one incarnation after the other.
    private void SlowDiskDown()
    {
        var weather = DiskWeather.Draw(Kernel.Random);
        Any().Disk.Weather = weather with { Latency = weather.Latency * 4, WriteFails = 0, SyncFails = 0 };
    }

    private Machine NewMachine(string name)
    {
        var disk = new SimulatedDisk(Kernel, name);
        var machine = new Machine(
            new SimulatedNode(Kernel, name, lane => new PlantedFileSystem(disk.Mount(lane), Fault, isRecovering: () => false)),
            disk,
            new SimulatedMemory(Kernel, name));
        machine.Node.OnFailed = failure => OnFailed(machine, failure);
        return machine;
    }

    private void CrashUnlessOver(Machine machine)
    {
        if (!IsOver)
        {
            Crash(machine);
        }
    }

    private void Crash(Machine machine)
    {
        if (machine.Node.IsUp)
        {
            Kernel.Coverage.Count("nodes: killed");
            Restart(machine, cutPower: _onOneMachine && Kernel.Random.Chance(0.6));
        }
    }

    // A node that has lost the metadata log to another, its WAL, or the memory that it needs, stops; whoever watches it starts it again.
    private void OnFailed(Machine machine, Exception failure)
    {
        if (failure.InnerException is ObjectLogException { Error: ObjectLogError.Fenced } or OutOfMemoryException)
        {
            Kernel.Coverage.Count(failure.InnerException is OutOfMemoryException ? "store: node lost for want of memory" : "store: deposed");
            if (_isAudit)
            {
                _auditIsDeposed.TrySetResult();
                return;
            }

            var lane = machine.Node.Lane;
            Kernel.At(Kernel.Now, Kernel.World, () =>
            {
                if (machine.Node.IsUp && machine.Node.Lane == lane)
                {
                    Restart(machine, cutPower: false);
                }
            });
            return;
        }

        Kernel.Fail(failure);
    }

    private void Restart(Machine machine, bool cutPower)
    {
        machine.Node.Kill();
        if (cutPower)
        {
            machine.Disk.CutPower();
        }

        Start(machine, Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(1)));
    }

    private void Start(Machine machine, TimeSpan delay) => Kernel.At(Kernel.Now + delay, Kernel.World, () => _ = LiveAsync(machine));

    private async Task LiveAsync(Machine machine)
    {
        if (IsOver || machine.Node.IsUp)
        {
            return;
        }

        try
        {
            await RunIncarnation(machine);
        }
        catch (StreamException lost) when (lost.Error is StreamError.Fenced or StreamError.ControllerLost or StreamError.WalFailed
            or StreamError.Closed or StreamError.StorageUnavailable)
        {
            Kernel.Coverage.Count($"store: ended with {lost.Error}");
        }
        catch (WalUnavailableException unavailable) when (unavailable.InnerException is IOException)
        {
            Kernel.Coverage.Count("store: disk error at a WAL");
        }
        catch (IOException)
        {
            Kernel.Coverage.Count("store: disk error while giving a WAL up");
        }
        catch (OutOfMemoryException)
        {
            Kernel.Coverage.Count("store: ended for want of memory");
        }
        catch (Exception refused) when (IsOfRot(refused))
        {
            Kernel.Coverage.Count("store: rot refused");
        }
        catch (ObjectStorageException)
        {
            Kernel.Coverage.Count("store: start given up without the bucket");
        }
        catch (Exception lost) when (lost is ObjectLogException { Error: ObjectLogError.Fenced }
            or ControllerException { Error: ControllerError.ControllerLost })
        {
            Kernel.Coverage.Count("store: deposed while starting");
        }
        catch (Exception violation)
        {
            Kernel.Fail(violation);
        }

        if (machine.Node.IsUp && !_isAudit)
        {
            machine.Node.Kill();
            Start(machine, TimeSpan.FromMilliseconds(100));
        }
    }

    private Task RunIncarnation(Machine machine) => machine.Node.Start(async runtime =>
    {
        machine.Memory.Recover();
        var buffers = Kernel.NewBufferPool(machine.Memory);
        IObjectStorage storage = _onOneMachine
            ? await FileObjectStorage.OpenAsync(runtime, Folder, CancellationToken.None)
            : _bucket.Connect(machine.Node.Lane!);
        IWalProvider wals = _onOneMachine
            ? new RingWalProvider(
                runtime, buffers, new WalFolder(runtime, WalMedium.Folder, new() { Capacity = _walCapacity }), new() { GroupBytes = 64 << 10 })
            : new ObjectWalProvider(runtime, buffers, storage, new ObjectWalOptions { BatchBytes = 64 << 10 });
        await new StoreNode(this, runtime, storage, machine.Unfinished, wals, buffers).RunAsync(_isAudit);
    });

    private sealed record Machine(SimulatedNode Node, SimulatedDisk Disk, SimulatedMemory Memory)
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
