using Millrace.Simulation.Disks;
using Millrace.Simulation.Kernel;
using Millrace.Simulation.Storage;

namespace Millrace.Simulation.Scenarios;

/// <summary>Makes trouble: nodes die, sleep and lose the store; the store goes down and changes its mood.</summary>
internal sealed class Chaos(SimulationKernel kernel, SimulatedBucket bucket)
{
    /// <summary>The longest pause between two pranks.</summary>
    public TimeSpan LongestCalm { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>The store answers as it should: the trouble is elsewhere.</summary>
    public bool IsStoreWell { get; init; }

    /// <summary>Hears of each prank before it is played.</summary>
    public Action Begins { get; init; } = static () => { };

    /// <summary>Kinds of trouble a scenario adds, or the ones it wants more often.</summary>
    public List<Action> Pranks { get; } = [];

    /// <summary>Goes on until told to stop, then leaves calm weather behind.</summary>
    public async Task RunAsync(Func<bool> isOver)
    {
        if (!IsStoreWell)
        {
            Pranks.Add(BucketGoesDown);
            Pranks.Add(WeatherChanges);
            WeatherChanges();
        }

        while (!isOver())
        {
            await kernel.Delay(kernel.Random.Between(TimeSpan.FromMilliseconds(200), LongestCalm));
            kernel.Coverage.Count(CoverageNames.Faults);
            Begins();
            kernel.Random.Pick(Pranks)();
        }

        bucket.Weather = StorageWeather.Calm;
        bucket.DownUntil = TimeSpan.Zero;
        kernel.Trace.Note("the weather clears up for good");
    }

    /// <summary>Stops a node between two steps, for longer than anyone's patience at times.</summary>
    public void Sleep(SimulatedNode node)
    {
        if (!node.IsUp || node.Lane!.Paused)
        {
            return;
        }

        var lane = node.Lane;
        node.Pause();
        kernel.Coverage.Count("nodes: paused");
        var wake = kernel.Now + (kernel.Random.Chance(0.3) ? TimeSpan.FromSeconds(30) : TimeSpan.FromSeconds(3)) * kernel.Random.NextDouble();
        kernel.At(wake, kernel.World, () =>
        {
            if (!lane.Dead)
            {
                kernel.Trace.Note($"{lane.Name} wakes");
                lane.Resume();
            }
        });
    }

    /// <summary>Others fill a disk, down to a last few bytes, and some time later make room again.</summary>
    public void FillUp(SimulatedDisk disk)
    {
        if (disk.Space.IsLimited)
        {
            return;
        }

        disk.Space.Limit(kernel.Random.NextInt64(kernel.Random.Pick([1L, 64 << 10, 1 << 20])));
        kernel.Coverage.Count("disk: filled up");
        kernel.Trace.Note("a disk is full");
        var longest = kernel.Random.Chance(0.2) ? TimeSpan.FromMinutes(2) : TimeSpan.FromSeconds(10);
        kernel.At(kernel.Now + longest * kernel.Random.NextDouble(), kernel.World, disk.Space.Free);
    }

    /// <summary>Does something in the middle of the next write, or after a second if none has begun by then.</summary>
    public void WhenBusy(SimulatedDisk disk, Action action)
    {
        var isDone = false;
        disk.AtNextWrite(() => kernel.At(kernel.Now + kernel.Random.Between(TimeSpan.Zero, disk.Weather.Latency), kernel.World, Once));
        kernel.At(kernel.Now + TimeSpan.FromSeconds(1), kernel.World, Once);

        void Once()
        {
            if (!isDone)
            {
                isDone = true;
                action();
            }
        }
    }

    private void BucketGoesDown()
    {
        bucket.DownUntil = kernel.Now + kernel.Random.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5));
        kernel.Trace.Note($"the bucket is down until {bucket.DownUntil.TotalMilliseconds:F0}");
        kernel.Coverage.Count("storage: outage");
    }

    private void WeatherChanges()
    {
        bucket.Weather = StorageWeather.Draw(kernel.Random);
        kernel.Trace.Note($"{bucket.Weather}");
    }
}
