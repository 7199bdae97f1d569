using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.Clusters;

/// <summary>
/// Ways in which brokers are cut off from one another and from the store; some of them at about the moments at which one would be believed who should not be,
/// if he were.
/// </summary>
internal sealed class ClusterCuts(ClusterWorld world)
{
    /// <summary>After so long without a word of its writes a broker is taken for one that is cut off from the store.</summary>
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan HeartbeatsAndQuestions = TimeSpan.FromMilliseconds(750);
    private static readonly TimeSpan LongestCut = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan LongestSplit = TimeSpan.FromSeconds(40);
    private bool _isOver;

    private SimulationKernel Kernel => world.Kernel;

    private SeededRandom Random => world.Kernel.Random;

    /// <summary>What was to come on top of a cut does not come any more.</summary>
    public void End() => _isOver = true;

    public void FromStore() => world.Any().CutFromStore(Random.Between(TimeSpan.Zero, LongestCut));

    public void WritesToStore() => world.Any().SwallowWrites(Random.Between(TimeSpan.Zero, LongestCut));

    public void Swallow() => Swallow(world.Any(), world.Any(), isBothWays: Random.Chance(0.5), Random.Between(TimeSpan.Zero, LongestCut));

    /// <summary>One is cut off from all others, though not from the store or from clients.</summary>
    public void Isolate()
    {
        var alone = Random.Chance(0.5) ? world.Leader() : world.Any();
        var isBothWays = Random.Chance(0.7);
        foreach (var other in world.Machines)
        {
            Swallow(alone, other, isBothWays, Random.Between(TimeSpan.Zero, LongestCut));
        }

        Kernel.Coverage.Count("network: isolated");
    }

    /// <summary>
    /// Some are cut off from the rest without a word, for longer than any session, and soon before or after perhaps from the store, too; clients reach both
    /// sides. With the controller among them they have one that was deposed and does not know it.
    /// </summary>
    public void Split()
    {
        var side = Random.Chance(0.5) ? new List<ClusterMachine> { world.Leader() } : [world.Any()];
        if (Random.Chance(0.5) && world.Any() is var companion && !side.Contains(companion))
        {
            side.Add(companion);
        }

        var duration = Random.Between(LongestCut, LongestSplit);
        var cutsStore = Random.Chance(0.7);
        var isStoreFirst = cutsStore && Random.Chance(0.3);

        // About when a node is given up for the one, or looks at the log for the other, the second comes on top of it.
        var later = isStoreFirst || Random.Chance(0.5)
            ? Random.Between(TimeSpan.FromSeconds(2.2), TimeSpan.FromSeconds(4))
            : LongestCut * (Random.NextDouble() * Random.NextDouble());
        foreach (var machine in side)
        {
            machine.Trouble(LongestCut + duration);
            In(isStoreFirst ? later : TimeSpan.Zero, () => Sever(machine, world.Machines.Except(side), duration));
            if (cutsStore)
            {
                In(isStoreFirst ? TimeSpan.Zero : later, () => CutFromStore(machine, world.Machines.Except(side), duration));
            }
        }

        Kernel.Coverage.Count("network: split");
    }

    /// <summary>
    /// Unless one of those on the other side is no member: it would take the log over from a controller that hears all nodes there are and does not reach the
    /// store, and that one answers from before then (ADR 7 names it).
    /// </summary>
    private void CutFromStore(ClusterMachine machine, IEnumerable<ClusterMachine> others, TimeSpan duration)
    {
        if (others.All(other => other.Serves))
        {
            machine.CutFromStore(duration);
        }
        else
        {
            Kernel.Coverage.Count("network: split, with a stranger on the other side");
        }
    }

    /// <summary>
    /// What the controller says to a broker takes nearly as long as that waits for it, and what the broker says after that does not arrive at all; nor does
    /// what it writes, mostly. Before its first word is late, one more of its heartbeats has arrived.
    /// </summary>
    public void AnswerLate()
    {
        var (leader, node) = (world.Leader(), world.Owner());
        if (leader == node)
        {
            return;
        }

        node.Trouble(LongestCut);
        leader.Trouble(LongestCut);
        world.Network.Swallow(leader.Host, node.Host, world.Times.Suspicion * (0.35 + 0.16 * Random.NextDouble()));
        In(Random.Between(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(1)), () =>
        {
            world.Network.Swallow(node.Host, leader.Host, LongestCut);
            if (Random.Chance(0.8))
            {
                node.CutFromStore(LongestCut);
            }
        });
        Kernel.Coverage.Count("network: answers late");
    }

    /// <summary>A broker is heard by the controller and does not hear it, for longer than it may answer reads.</summary>
    public void SilenceController()
    {
        var (leader, node) = (world.Leader(), world.Owner());
        if (leader != node)
        {
            Swallow(leader, node, isBothWays: false, world.Times.Lease * (1 + Random.NextDouble()));
            Kernel.Coverage.Count("network: controller unheard");
        }
    }

    /// <summary>
    /// One hears nobody any more, and is left with what the store says. Before it is given up it may have looked there: it is given more time than usual where
    /// another one is silent as well, and where the controller is replaced. Then, in between, it is cut off from the store, too.
    /// </summary>
    public void Strand()
    {
        var (leader, node) = (world.Leader(), world.Owner());
        if (leader == node)
        {
            return;
        }

        var (fence, suspicion) = (world.Times.Fence, world.Times.Suspicion);
        var duration = (fence + suspicion) * (1.5 + Random.NextDouble());
        Sever(node, world.Machines, duration);

        // It waits for an answer to its heartbeat, then for a connection, and asks the others; a controller that is gone it knows to be lost at once.
        var (looks, isGivenUp) = (suspicion * 1.5 + HeartbeatsAndQuestions, fence);
        switch (Random.Next(3))
        {
            case 0:
                leader.Kill();
                (looks, isGivenUp) = (suspicion + HeartbeatsAndQuestions, fence + HeartbeatsAndQuestions);
                break;
            case 1:
                Sever(Random.Pick([.. world.Machines.Where(other => other != leader && other != node)]), world.Machines, duration);
                isGivenUp = fence * 2;
                break;
        }

        In(looks + (isGivenUp > looks ? isGivenUp - looks : HeartbeatsAndQuestions) * Random.NextDouble(), () => node.CutFromStore(duration));
        Kernel.Coverage.Count("network: stranded");
    }

    /// <summary>A broker is cut off from the store; about when it is given up for that, it hears nothing any more, and is still heard.</summary>
    public void CutWriter()
    {
        var (leader, node) = (world.Leader(), world.Owner());
        if (leader == node)
        {
            return;
        }

        node.CutFromStore(LongestCut);
        In(Stall + Random.Between(TimeSpan.FromMilliseconds(-200), TimeSpan.FromSeconds(1)), () =>
        {
            node.Trouble(LongestCut);
            world.Network.Swallow(leader.Host, node.Host, Random.Between(TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(4)));
        });
        Kernel.Coverage.Count("network: writer cut off");
    }

    public void Reset()
    {
        var (one, other) = (world.Any(), world.Any());
        one.Trouble(TimeSpan.Zero);
        other.Trouble(TimeSpan.Zero);
        world.Network.Reset(one.Host, other.Host);
        Kernel.Coverage.Count("network: connections cut");
    }

    /// <summary>Nothing passes between one and the others, either way.</summary>
    private void Sever(ClusterMachine machine, IEnumerable<ClusterMachine> others, TimeSpan duration)
    {
        foreach (var other in others)
        {
            Swallow(machine, other, isBothWays: true, duration);
        }
    }

    private void Swallow(ClusterMachine one, ClusterMachine other, bool isBothWays, TimeSpan duration)
    {
        if (one == other)
        {
            return;
        }

        one.Trouble(duration);
        other.Trouble(duration);
        world.Network.Swallow(one.Host, other.Host, duration);
        if (isBothWays)
        {
            world.Network.Swallow(other.Host, one.Host, duration);
        }

        Kernel.Coverage.Count("network: swallowed");
    }

    /// <summary>In a while, if there is still trouble then.</summary>
    private void In(TimeSpan delay, Action action) =>
        Kernel.At(Kernel.Now + delay, Kernel.World, () =>
        {
            if (!_isOver)
            {
                action();
            }
        });
}
