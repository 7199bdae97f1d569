using Millrace.Metadata.Configs;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Runner;
using Millrace.Simulation.Scenarios.Brokers;
using Millrace.Simulation.Storage;
using Millrace.Streams.Objects;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>A few brokers, one bucket, the network between them, and their clients.</summary>
internal sealed class ClusterWorld
{
    private const int EnoughAcknowledgements = 300;
    private const ulong LotsBeside = 0x5AC5;
    private const int MostMachines = 5;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);

    /// <summary>After all trouble: brokers that were down come back within seconds, and clients take their patience to find leaders.</summary>
    private static readonly TimeSpan HealsWithin = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan AgreesWithin = TimeSpan.FromSeconds(15);
    private readonly ClusterMachine[] _machines;
    private readonly int _partitions;
    private readonly ClusterPranks _pranks;

    public ClusterWorld(SimulationKernel kernel, ClusterPlot plot, PlantedFault? fault)
    {
        (Kernel, Plot, Fault) = (kernel, plot, fault);
        Bucket = new SimulatedBucket(kernel);
        Network = new SimulatedNetwork(kernel);
        Times = LivenessTimes.Draw(kernel.Random);
        // By lots of their own: worlds without either are as they were, and so is where mistakes are looked for.
        var lots = new SeededRandom(kernel.Seed ^ LotsBeside);
        Racks = fault is null && lots.Chance(0.5) ? ["a", "b"] : [];
        RackSettings =
        [
            KeyValuePair.Create(BrokerConfigs.FollowedWalBytes, lots.Pick(["0", "1", "300"])),
            KeyValuePair.Create(BrokerConfigs.FollowedMaxBytes, lots.Pick(["0", "10000", "100000", "16000000"])),
        ];
        IsBalanced = plot == ClusterPlot.HandOvers ? kernel.Random.Chance(0.5) : fault is null && lots.Chance(0.5);
        HasSeveralWals = fault is null && lots.Chance(0.4);
        Devices = fault is null && lots.Chance(0.4) ? new ClusterDevices(kernel, lots, MostMachines) : null;
        _machines = [.. Enumerable.Range(0, kernel.Random.Pick([3, 3, 3, 4, MostMachines])).Select(number => new ClusterMachine(this, number))];
        _partitions = kernel.Random.Next(2, 5);
        Oracle = new ClusterOracle(kernel, TroubleOf);
        _pranks = new ClusterPranks(this);
    }

    public SimulationKernel Kernel { get; }

    public ClusterPlot Plot { get; }

    public PlantedFault? Fault { get; }

    public SimulatedBucket Bucket { get; }

    public SimulatedNetwork Network { get; }

    public ClusterOracle Oracle { get; }

    /// <summary>By what times its brokers judge one another.</summary>
    public LivenessTimes Times { get; }

    /// <summary>The machines stand in them in turn; none where nobody knows of racks.</summary>
    public IReadOnlyList<string> Racks { get; }

    /// <summary>What brokers hold of partitions that they follow, and from how many bytes on they read those in the leader's WAL.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> RackSettings { get; }

    /// <summary>Where WALs lie, but for those on disks; null where they lie in the bucket.</summary>
    public ClusterDevices? Devices { get; }

    /// <summary>Whether each broker has a WAL on its disk and one in the bucket, beside one on its device if it has that; and topics choose.</summary>
    public bool HasSeveralWals { get; }

    /// <summary>Whether the controller evens the loads.</summary>
    public bool IsBalanced { get; }

    public IReadOnlyList<ClusterMachine> Machines => _machines;

    public ClusterMachine Any() => Kernel.Random.Pick(_machines);

    /// <summary>The controller's machine, if there is one.</summary>
    public ClusterMachine Leader() => Array.Find(_machines, machine => machine.Leads) ?? Any();

    /// <summary>One beside the controller's whose broker leads partitions that somebody always watches, if there is one.</summary>
    public ClusterMachine Owner()
    {
        var watched = Oracle.Newest.Topics.Values.Where(topic => topic.Name == BrokerWorld.Topic).SelectMany(topic => topic.Partitions);
        var names = watched.Select(partition => partition.Leader).OfType<NodeId>().Select(leader => Oracle.Newest.Nodes[leader].Name).ToHashSet();
        var owners = Array.FindAll(_machines, machine => machine is { Leads: false, Serves: true } && names.Contains(machine.Node.Name));
        return owners.Length == 0 ? Any() : Kernel.Random.Pick(owners);
    }

    public async Task RunAsync()
    {
        foreach (var machine in _machines)
        {
            machine.Trouble(TimeSpan.FromSeconds(5));
            machine.Start(Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)));
        }

        var clients = new ClusterClients(
            Kernel, new BrokerDirectory(new SeededRandom(Kernel.Random.NextUInt64()), _machines), Plot, Racks, HasSeveralWals, Devices is not null,
            () => _pranks.Weather);
        var topic = await clients.CreateTopicAsync(_partitions);
        await UntilAsync(
            () => Array.TrueForAll(_machines, machine => machine.Image is { } image && image.TryGetTopic(topic.Id, out _)),
            HealsWithin,
            "know the first topic");
        var working = clients.Start(topic);
        await _pranks.NewChaos().RunAsync(() => Array.Exists(working, task => task.IsFaulted)
            || Kernel.Now >= Enough && Kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements
                && Kernel.Coverage[CoverageNames.Faults] >= SeedRunner.MinimumFaults);
        CalmDown();
        await ExpectWritesAsync(topic, working);
        clients.Stop();
        for (var i = 0; i < working.Length; i++)
        {
            await EndAsync(working[i], $"let client {i} of {working.Length} end");
        }

        await EndAsync(clients.AuditAsync(), "answer all that is audited");
        await UntilAsync(
            () => _machines.Select(machine => machine.Image?.Version).Distinct().Count() == 1 && _machines.Count(machine => machine.Leads) == 1,
            AgreesWithin,
            "agree");
        await UntilAsync(
            () => !Oracle.Newest.Topics.Values.Any(known => known.Partitions.Exists(partition => partition.Moves)), AgreesWithin, "end their moves");
        Oracle.AuditDrained();
        AuditEpochs(topic);
        AuditObjects();
        var state = _machines.Single(machine => machine.Leads).State!;
        await clients.AuditTopicsAsync(state.Cluster, state.Streams.Streams.Count);
    }

    /// <summary>Waits for what clients do, which ends soon in calm weather.</summary>
    private async Task EndAsync(Task task, string what)
    {
        await UntilAsync(() => task.IsCompleted, HealsWithin, what);
        await task;
    }

    private void CalmDown()
    {
        _pranks.End();
        Network.Heal();
        foreach (var machine in _machines)
        {
            machine.CalmDown();
        }
    }

    /// <summary>Soon all brokers serve, and every partition takes writes.</summary>
    private async Task ExpectWritesAsync(TopicOracle topic, Task[] working)
    {
        var began = Kernel.Now;
        var before = topic.Partitions.Select(partition => partition.Acknowledgements).ToArray();
        await UntilAsync(
            () => Array.Exists(working, task => task.IsFaulted)
                || topic.Partitions.Zip(before).All(pair => pair.First.Acknowledgements > pair.Second)
                    && Array.TrueForAll(_machines, machine => machine.Serves),
            HealsWithin,
            "take writes to every partition");
        var seconds = (Kernel.Now - began).TotalSeconds;
        Kernel.Coverage.Count(seconds < 5 ? "calm: whole within 5 s" : seconds < 10 ? "calm: whole within 10 s"
            : seconds < 20 ? "calm: whole within 20 s" : "calm: whole later");
    }

    /// <summary>Every batch lies within the epoch that it was written in, as the controller has it: none is beyond the end at which that was closed.</summary>
    private void AuditEpochs(TopicOracle topic)
    {
        var state = _machines.Single(machine => machine.Leads).State!;
        state.Cluster.TryGetTopic(topic.Id, out var image);
        foreach (var partition in topic.Partitions)
        {
            var epochs = state.Streams.Find(image!.Partitions[partition.Partition].Stream)!.Epochs;
            foreach (var (offset, epoch) in partition.Epochs.Where(batch => batch.Key >= partition.TrimSent))
            {
                if (!epochs.Any(range => range.Epoch.Value == epoch && offset >= range.StartOffset && (range.EndOffset is not { } end || offset < end)))
                {
                    throw new ViolationException(
                        $"{topic.Name}-{partition.Partition}: the batch at {offset} is of epoch {epoch}, and the epochs are {string.Join(", ", epochs)}");
                }

                Kernel.Coverage.Count("epochs: batches audited");
            }
        }
    }

    /// <summary>Whatever any stream refers to is in the bucket.</summary>
    private void AuditObjects()
    {
        var streams = _machines.Single(machine => machine.Leads).State!.Streams;
        var needed = streams.Objects.All.Values.Where(state => state.References > 0).ToArray();
        if (needed.FirstOrDefault(state => Bucket.Peek(DataObjectKey.Of(state.Id)) is null) is { } missing)
        {
            throw new ViolationException($"{missing.References} ranges lie in object {missing.Id}, which is not in the bucket");
        }

        var most = streams.Streams.Values.Max(stream => stream.Ranges.Count);
        Kernel.Coverage.Count("ranges: of the stream with the most", most);
        Kernel.Coverage.Count("objects: in use at the end", needed.Length);
    }

    /// <summary>Why a broker may be given up at the moment; null if there is no reason.</summary>
    private string? TroubleOf(string name) => Array.Find(_machines, machine => machine.Node.Name == name) switch
    {
        { IsTroubled: true } => "after trouble",
        { HasLostWrites: true } => "after the store had lost a write again and again",
        _ when Kernel.Now < Bucket.SlowUntil + ClusterMachine.Aftermath => "after the store had hardly answered",
        _ => null,
    };

    private async Task UntilAsync(Func<bool> holds, TimeSpan limit, string what)
    {
        var until = Kernel.Now + limit;
        while (!holds())
        {
            if (Kernel.Now > until)
            {
                throw new ViolationException(
                    $"After {limit.TotalSeconds} s of calm the brokers do not {what}: "
                    + string.Join(", ", _machines.Select(machine => $"{machine.Node.Name} {Describe(machine)} at {machine.Image?.Version}")));
            }

            await Kernel.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private static string Describe(ClusterMachine machine) =>
        machine.Leads ? "leads" : machine.Serves ? "serves" : machine.Node.IsUp ? "is up" : "is down";
}
