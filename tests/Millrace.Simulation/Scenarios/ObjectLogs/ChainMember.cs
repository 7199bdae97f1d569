using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Simulation.Kernel;

namespace Millrace.Simulation.Scenarios.ObjectLogs;

/// <summary>One incarnation of a node that follows the chain, takes it over now and then, and appends while it owns a term.</summary>
internal sealed class ChainMember(ChainWorld world, NodeRuntime runtime, Lane lane, ObjectLog log)
{
    private readonly SeededRandom _random = new(world.Kernel.Random.NextUInt64());
    private int _count;
    private LogPlace? _appliedUpTo;

    public async Task RunAsync()
    {
        while (!world.IsOver)
        {
            try
            {
                await LiveAsync();
            }
            catch (ObjectLogException trimmed) when (trimmed.Error == ObjectLogError.Trimmed)
            {
                world.Kernel.Coverage.Count("log: reader overtaken by trimming");
            }
            catch (ObjectLogException fenced) when (fenced.Error == ObjectLogError.Fenced)
            {
                world.Kernel.Coverage.Count("log: owner fenced");
            }
            catch (ObjectLogException closed) when (closed.Error == ObjectLogError.Closed)
            {
                world.Kernel.Coverage.Count("log: owner closed in mid-flight");
            }
        }
    }

    /// <summary>Ends whatever term there is and reads everything.</summary>
    public async Task AuditAsync()
    {
        while (true)
        {
            try
            {
                using var reader = Reload(world.NewestSnapshot);
                ObjectLogOwner? owner;
                do
                {
                    owner = await log.TryTakeOverAsync(reader, Name(), Apply, CancellationToken.None);
                }
                while (owner is null);
                world.Oracle.Owned(lane.Name, owner.Term, _count);
                return;
            }
            catch (ObjectLogException trimmed) when (trimmed.Error == ObjectLogError.Trimmed)
            {
                world.Kernel.Coverage.Count("log: reader overtaken by trimming");
            }
        }
    }

    private async Task LiveAsync()
    {
        // Mostly the newest snapshot; a stale one must do no harm.
        using var reader = Reload(_random.Chance(0.8) ? world.NewestSnapshot : _random.Pick(world.Snapshots));
        while (!world.IsOver)
        {
            await FollowAsync(reader);
            if (world.IsOver)
            {
                return;
            }

            var owner = await log.TryTakeOverAsync(reader, Name(), Apply, CancellationToken.None);
            if (owner is null)
            {
                world.Kernel.Coverage.Count("log: race for a seal lost");
                continue;
            }

            await OwnAsync(owner);
            return;
        }
    }

    private ObjectLogReader Reload(ChainSnapshot snapshot)
    {
        _count = snapshot.Count;
        return log.Read(snapshot.Start);
    }

    private async Task FollowAsync(ObjectLogReader reader)
    {
        using var patience = new CancellationTokenSource(_random.Between(TimeSpan.Zero, TimeSpan.FromSeconds(8)), runtime.Time);
        try
        {
            while (true)
            {
                await Apply(await reader.FollowAsync(patience.Token));
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            // Time to take over.
        }
    }

    private async Task OwnAsync(ObjectLogOwner owner)
    {
        world.Oracle.Owned(lane.Name, owner.Term, _count);
        world.Kernel.Coverage.Count("log: terms owned");
        var last = Task.CompletedTask;
        var until = runtime.Time.GetUtcNow() + _random.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20));
        try
        {
            while (!world.IsOver && runtime.Time.GetUtcNow() < until)
            {
                await owner.WaitForRoomAsync(CancellationToken.None);
                last = AppendAsync(owner, last);
                if (_random.Chance(0.3))
                {
                    await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(100)), runtime.Time);
                }

                if (_random.Chance(0.05) && owner.Confirmed is not null)
                {
                    await SnapshotAndTrimAsync(owner);
                }
            }
        }
        finally
        {
            // Sometimes in mid-flight: what is under way then has an unknown outcome.
            if (_random.Chance(0.5))
            {
                await owner.DisposeAsync();
            }

            await last;
            await owner.DisposeAsync();
        }
    }

    private async Task AppendAsync(ObjectLogOwner owner, Task before)
    {
        var entry = world.Oracle.NextEntry();
        var payload = new byte[4 + _random.Next(64)];
        BinaryPrimitives.WriteInt32LittleEndian(payload, entry);
        LogPlace place;
        try
        {
            place = await owner.AppendAsync(new ReadOnlySequence<byte>(payload));
        }
        catch (ObjectLogException lost)
        {
            if (lost.Error == ObjectLogError.Fenced)
            {
                world.CheckFenced(owner.Term);
            }

            await before;
            throw;
        }

        // Acknowledgements come in order, but continuations run as they like.
        world.Oracle.Acknowledged(lane.Name, place, entry);
        await before;
        world.Oracle.Applied(lane.Name, _count, place, entry);
        _count++;
        _appliedUpTo = place;
    }

    private async Task SnapshotAndTrimAsync(ObjectLogOwner owner)
    {
        if (_appliedUpTo is not { } applied || applied.Term != owner.Term)
        {
            return;
        }

        world.Snapshots.Add(new ChainSnapshot(owner.StartAfter(applied), _count));
        var boundary = _random.Pick(world.Snapshots).Start;
        if (boundary.Next <= applied)
        {
            world.Kernel.Coverage.Count("log: trims begun");
            await log.TrimAsync(boundary.Next, boundary, CancellationToken.None);
        }
    }

    private ValueTask Apply(LogStep step)
    {
        if (step.Kind == LogStepKind.Entry)
        {
            world.Oracle.Applied(lane.Name, _count, step.Place, BinaryPrimitives.ReadInt32LittleEndian(step.Payload.Span));
            _count++;
        }

        return ValueTask.CompletedTask;
    }

    private byte[] Name() => Encoding.ASCII.GetBytes(lane.Name);
}
