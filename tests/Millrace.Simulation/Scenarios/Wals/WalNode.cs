using Millrace.Runtime;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Kernel;
using Millrace.Streams;
using Millrace.Streams.Wal;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>One incarnation: recovers what the last one left, then fills a WAL of its own until something ends it.</summary>
internal sealed class WalNode(WalWorld world, NodeRuntime runtime, UnfinishedWals unfinished, IWalProvider provider, NodeEpoch epoch)
{
    private readonly SeededRandom _random = new(world.Kernel.Random.NextUInt64());

    public async Task RunAsync()
    {
        try
        {
            // Where others live, they get some time for themselves first; then this node takes everything over.
            await Task.Delay(_random.Between(TimeSpan.Zero, world.Patience), runtime.Time);
            await RecoverAsync();
            if (!world.IsOver)
            {
                await WriteAsync();
            }
        }
        catch (WalUnavailableException unavailable) when (unavailable.InnerException is IOException)
        {
            world.Kernel.Coverage.Count("wal: disk error while opening or recovering");
        }
        catch (IOException)
        {
            world.Kernel.Coverage.Count("wal: disk error while giving a finished one up");
        }
        catch (StreamException lost) when (lost.Error is StreamError.WalFailed or StreamError.Fenced)
        {
            world.Kernel.Coverage.Count($"wal: ended with {lost.Error}");
        }
        catch (OutOfMemoryException)
        {
            world.Kernel.Coverage.Count("wal: ended for want of memory");
        }
    }

    public async Task RecoverAsync()
    {
        await unfinished.RemoveAsync(provider);
        foreach (var oracle in world.Wals.Where(wal => !wal.IsFinished).ToArray())
        {
            if (oracle.IsBeingRecovered)
            {
                world.Kernel.Coverage.Count("wal: recovery after an unfinished recovery");
            }

            oracle.IsBeingRecovered = true;
            world.IsRecovering = true;
            try
            {
                await RecoverAsync(oracle);
            }
            catch (WalUnavailableException) when (world.IsShared && oracle.IsFinished)
            {
                // Another has recovered it meanwhile, and its place has been taken since.
                world.Kernel.Coverage.Count("wal: recovered by another meanwhile");
            }
        }
    }

    private async Task RecoverAsync(WalOracle oracle)
    {
        await using var recovery = await provider.TakeOverAsync(oracle.Descriptor, CancellationToken.None);
        int? last = null;
        await foreach (var record in recovery.ReadAsync(CancellationToken.None))
        {
            last = oracle.Shown(record, last);
        }

        world.IsRecovering = false;
        oracle.Ended(last);
        world.Kernel.Coverage.Count("wal: recoveries");
        await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(500)), runtime.Time);

        // All of it is in objects now, and the metadata knows; only then may the WAL go.
        oracle.Commit(last + 1 ?? 0, byRecovery: true);
        oracle.IsFinished = true;
        await recovery.CompleteAsync(CancellationToken.None);
    }

    private async Task WriteAsync()
    {
        var waiting = world.Wals.Where(other => !other.IsFinished).Select(other => other.Descriptor).ToArray();
        var descriptor = provider.Describe(new NodeId(1), epoch, waiting);
        await using var wal = await provider.CreateAsync(descriptor, CancellationToken.None);
        if (!world.MayOpen(epoch))
        {
            throw new StreamException(StreamError.Fenced, $"A later incarnation than {epoch} has registered");
        }

        var oracle = new WalOracle(descriptor);
        world.Wals.Add(oracle);
        var last = Task.CompletedTask;
        var quiet = runtime.Time.GetTimestamp();
        while (!world.IsOver && runtime.Time.GetElapsedTime(quiet) < TimeSpan.FromSeconds(10))
        {
            last = AppendAsync(wal, oracle, last);
            if (_random.Chance(0.4))
            {
                await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(300)), runtime.Time);
            }

            // Bounded, as the stream store bounds what is not uploaded.
            if (_random.Chance(0.1) || oracle.Appended - oracle.Committed > 60)
            {
                await last;
            }
        }

        await last;
        oracle.Commit(oracle.Appended, byRecovery: false);
        oracle.IsFinished |= !oracle.IsBeingRecovered;
        if (oracle.IsFinished)
        {
            await wal.RetireAsync(CancellationToken.None);
            world.Kernel.Coverage.Count("wal: clean ends");
        }
    }

    private async Task AppendAsync(IWriteAheadLog wal, WalOracle oracle, Task before)
    {
        var size = _random.Chance(0.1) ? _random.Next(20_000) : _random.Next(1_000);
        var (number, record) = oracle.Next(new StreamId(_random.Next(1, 4)), _random.Next(1, 5), size);
        var append = wal.AppendAsync(record, out var position);
        await append;
        world.Kernel.Coverage.Count(CoverageNames.Acknowledged);
        oracle.Acknowledged(number);
        await before;
        if (_random.Chance(0.1))
        {
            // Everything before this record is uploaded and committed.
            oracle.Commit(number, byRecovery: false);
            if (oracle.Committed < number)
            {
                return;
            }

            await wal.TrimAsync(position, CancellationToken.None);
            world.Kernel.Coverage.Count("wal: trims");
        }
    }
}
