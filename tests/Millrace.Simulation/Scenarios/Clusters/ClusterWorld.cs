using Millrace.Simulation.Kernel;
using Millrace.Simulation.Network;
using Millrace.Simulation.Scenarios.Brokers;
using Millrace.Simulation.Storage;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>A few brokers, one bucket, the network between them, and their clients.</summary>
internal sealed class ClusterWorld
{
    private const int EnoughAcknowledgements = 300;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestCut = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan LongestSplit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(30);

    /// <summary>After all trouble: brokers that were down come back within seconds, and clients take their patience to find leaders.</summary>
    private static readonly TimeSpan HealsWithin = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan AgreesWithin = TimeSpan.FromSeconds(15);
    private readonly ClusterMachine[] _machines;
    private readonly int _partitions;
    private bool _isCalm;
    private NetworkWeather _weather = NetworkWeather.Calm;

    public ClusterWorld(SimulationKernel kernel, PlantedFault? fault)
    {
        (Kernel, Fault) = (kernel, fault);
        Bucket = new SimulatedBucket(kernel);
        Network = new SimulatedNetwork(kernel);
        _machines = [.. Enumerable.Range(0, kernel.Random.Pick([3, 3, 3, 4, 5])).Select(number => new ClusterMachine(this, number))];
        _partitions = kernel.Random.Next(2, 5);
        Oracle = new ClusterOracle(kernel, name => Array.Exists(_machines, machine => machine.Node.Name == name && machine.TroubledUntil >= kernel.Now));
    }

    public SimulationKernel Kernel { get; }

    public PlantedFault? Fault { get; }

    public SimulatedBucket Bucket { get; }

    public SimulatedNetwork Network { get; }

    public ClusterOracle Oracle { get; }

    public async Task RunAsync()
    {
        foreach (var machine in _machines)
        {
            machine.Trouble(TimeSpan.FromSeconds(5));
            machine.Start(Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)));
        }

        var clients = new ClusterClients(Kernel, new BrokerDirectory(new SeededRandom(Kernel.Random.NextUInt64()), _machines), () => _weather);
        var topic = await clients.CreateTopicAsync(_partitions);
        await UntilAsync(
            () => Array.TrueForAll(_machines, machine => machine.Image is { } image && image.TryGetTopic(topic.Id, out _)),
            HealsWithin,
            "know the first topic");
        var working = clients.Start(topic);
        await NewChaos().RunAsync(() => Array.Exists(working, task => task.IsFaulted)
            || Kernel.Now >= Enough && Kernel.Coverage[CoverageNames.Acknowledged] >= EnoughAcknowledgements);
        CalmDown();
        await ExpectWritesAsync(topic, working);
        clients.Stop();
        foreach (var task in working)
        {
            await task;
        }

        await clients.AuditAsync();
        await UntilAsync(
            () => _machines.Select(machine => machine.Image?.Version).Distinct().Count() == 1 && _machines.Count(machine => machine.Leads) == 1,
            AgreesWithin,
            "agree");
        AuditEpochs(topic);
        var state = _machines.Single(machine => machine.Leads).State!;
        await clients.AuditTopicsAsync(state.Cluster, state.Streams.Streams.Count);
    }

    private void CalmDown()
    {
        _isCalm = true;
        _weather = NetworkWeather.Calm;
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

    private Chaos NewChaos()
    {
        // In some worlds there is hardly time to recover between two pranks, in others all work is done with one broker less.
        var calm = TimeSpan.FromSeconds(Kernel.Random.Pick([8, 16, 30]));
        var chaos = new Chaos(Kernel, Bucket) { LongestCalm = calm, Begins = Oracle.FaultBegins };
        chaos.Pranks.Add(() => Any().Kill());
        chaos.Pranks.Add(() => Leader().Kill());
        chaos.Pranks.Add(KillAll);
        chaos.Pranks.Add(KillOneAfterAnother);
        chaos.Pranks.Add(() => Any().Stop());
        chaos.Pranks.Add(() => Sleep(chaos, Any()));
        chaos.Pranks.Add(() => Sleep(chaos, Leader()));
        chaos.Pranks.Add(() => Any().CutFromStore(Kernel.Random.Between(TimeSpan.Zero, LongestCut)));
        chaos.Pranks.Add(() => Swallow(Any(), Any(), isBothWays: Kernel.Random.Chance(0.5)));
        chaos.Pranks.Add(Isolate);
        chaos.Pranks.Add(Split);
        chaos.Pranks.Add(AnswerLate);
        chaos.Pranks.Add(Reset);
        chaos.Pranks.Add(WeatherChanges);
        chaos.Pranks.Add(() => Any().Node.SetClock());
        return chaos;
    }

    private static void Sleep(Chaos chaos, ClusterMachine machine)
    {
        machine.Trouble(LongestSleep);
        chaos.Sleep(machine.Node);
    }

    /// <summary>Some or all at once.</summary>
    private void KillAll()
    {
        var killed = Kernel.Random.Next(2, _machines.Length + 1);
        foreach (var machine in _machines.Take(killed))
        {
            machine.Kill();
        }

        Kernel.Coverage.Count(killed == _machines.Length ? "nodes: all killed" : "nodes: several killed");
    }

    /// <summary>One, and a moment later another, which may be recovering what the first one left, or have planned it.</summary>
    private void KillOneAfterAnother()
    {
        var first = Any();
        first.Kill();
        Kernel.At(Kernel.Now + Kernel.Random.Between(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(4)), Kernel.World, () =>
        {
            var second = Kernel.Random.Chance(0.3) ? Leader() : Any();
            Kernel.Coverage.Count("nodes: killed one after another", second == first ? 0 : 1);
            second.Kill();
        });
    }

    private void Swallow(ClusterMachine one, ClusterMachine other, bool isBothWays) =>
        Swallow(one, other, isBothWays, Kernel.Random.Between(TimeSpan.Zero, LongestCut));

    private void Swallow(ClusterMachine one, ClusterMachine other, bool isBothWays, TimeSpan duration)
    {
        if (one == other)
        {
            return;
        }

        one.Trouble(duration);
        other.Trouble(duration);
        Network.Swallow(one.Host, other.Host, duration);
        if (isBothWays)
        {
            Network.Swallow(other.Host, one.Host, duration);
        }

        Kernel.Coverage.Count("network: swallowed");
    }

    /// <summary>One is cut off from all others, though not from the store or from clients.</summary>
    private void Isolate()
    {
        var alone = Kernel.Random.Chance(0.5) ? Leader() : Any();
        var isBothWays = Kernel.Random.Chance(0.7);
        foreach (var other in _machines)
        {
            Swallow(alone, other, isBothWays);
        }

        Kernel.Coverage.Count("network: isolated");
    }

    /// <summary>
    /// Some are cut off from the rest without a word, for longer than any session, and soon before or after perhaps from the store, too; clients reach both
    /// sides. With the controller among them they have one that was deposed and does not know it.
    /// </summary>
    private void Split()
    {
        var side = Kernel.Random.Chance(0.5) ? new List<ClusterMachine> { Leader() } : [Any()];
        if (Kernel.Random.Chance(0.5) && Any() is var companion && !side.Contains(companion))
        {
            side.Add(companion);
        }

        var duration = Kernel.Random.Between(LongestCut, LongestSplit);
        var cutsStore = Kernel.Random.Chance(0.7);
        var isStoreFirst = cutsStore && Kernel.Random.Chance(0.3);

        // About when a node is given up for the one, or looks at the log for the other, the second comes on top of it.
        var later = isStoreFirst || Kernel.Random.Chance(0.5)
            ? Kernel.Random.Between(TimeSpan.FromSeconds(2.2), TimeSpan.FromSeconds(4))
            : LongestCut * (Kernel.Random.NextDouble() * Kernel.Random.NextDouble());
        foreach (var machine in side)
        {
            machine.Trouble(LongestCut + duration);
            In(isStoreFirst ? later : TimeSpan.Zero, () =>
            {
                foreach (var other in _machines.Except(side))
                {
                    Swallow(machine, other, isBothWays: true, duration);
                }
            });
            if (cutsStore)
            {
                In(isStoreFirst ? TimeSpan.Zero : later, () => machine.CutFromStore(duration));
            }
        }

        Kernel.Coverage.Count("network: split");
    }

    /// <summary>
    /// What the controller says to a node comes late, and what the node says after that does not arrive at all; nor does what it writes.
    /// </summary>
    private void AnswerLate()
    {
        var (leader, node) = (Leader(), Any());
        if (leader == node)
        {
            return;
        }

        node.Trouble(LongestCut);
        leader.Trouble(LongestCut);
        Network.Swallow(leader.Host, node.Host, Kernel.Random.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)));
        In(Kernel.Random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(400)), () =>
        {
            Network.Swallow(node.Host, leader.Host, LongestCut);
            node.CutFromStore(LongestCut);
        });
        Kernel.Coverage.Count("network: answers late");
    }

    /// <summary>In a while, if there is still trouble then.</summary>
    private void In(TimeSpan delay, Action action) =>
        Kernel.At(Kernel.Now + delay, Kernel.World, () =>
        {
            if (!_isCalm)
            {
                action();
            }
        });

    private void Reset()
    {
        var (one, other) = (Any(), Any());
        one.Trouble(TimeSpan.Zero);
        other.Trouble(TimeSpan.Zero);
        Network.Reset(one.Host, other.Host);
        Kernel.Coverage.Count("network: connections cut");
    }

    private void WeatherChanges()
    {
        _weather = NetworkWeather.Draw(Kernel.Random);
        Kernel.Trace.Note($"{_weather}");
    }

    private ClusterMachine Any() => Kernel.Random.Pick(_machines);

    /// <summary>The controller's machine, if there is one.</summary>
    private ClusterMachine Leader() => Array.Find(_machines, machine => machine.Leads) ?? Any();

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
