using Millrace.Runtime;
using Millrace.Runtime.Files;

namespace Millrace.Simulation.Kernel;

/// <summary>A machine that runs one incarnation of a node after another.</summary>
/// <param name="kernel">Its world.</param>
/// <param name="name">For traces.</param>
/// <param name="files">Its disks, which outlive its incarnations.</param>
public sealed class SimulatedNode(SimulationKernel kernel, string name, Func<Lane, IFileSystem> files)
{
    private static readonly TimeSpan UsualError = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestJump = TimeSpan.FromDays(400);
    private int _incarnations;

    public string Name => name;

    public Lane? Lane { get; private set; }

    public NodeRuntime? Runtime { get; private set; }

    /// <summary>Failures of the node (<see cref="NodeRuntime.Failed"/>) go here; a violation unless a scenario expects them.</summary>
    public Action<Exception> OnFailed { get; set; } = kernel.Fail;

    /// <summary>Hears every line that the node logs.</summary>
    public Action<string>? Said { get; set; }

    public bool IsUp => Lane is { Dead: false };

    /// <summary>Begins an incarnation and runs its main on its lane.</summary>
    public Task Start(Func<NodeRuntime, Task> main)
    {
        if (IsUp)
        {
            throw new InvalidOperationException($"{name} is up");
        }

        var lane = kernel.NewLane($"{name}.{++_incarnations}");
        // Nobody may rely on wall clocks: they differ by minutes, and start anew with each incarnation.
        lane.Time.WallClockError = kernel.Random.Between(-UsualError, UsualError);
        var loggers = new TraceLoggerFactory(
            kernel.Trace, lane.Name, line => Said?.Invoke(line),
            fault => kernel.Fail(new SimulationException($"{lane.Name} logs a fault of its own: {fault.Message}", kernel, fault)));
        var runtime = new NodeRuntime(lane.Time, lane, new SeededRandom(kernel.Random.NextUInt64()), files(lane), loggers);
        Lane = lane;
        Runtime = runtime;
        lane.Run(async () => OnFailed(await runtime.Failed));
        kernel.Trace.Note($"{lane.Name} starts");
        return lane.Run(() => main(runtime));
    }

    /// <summary>Somebody sets the wall clock: days ahead or back, or right again. The monotonic clock goes on as ever.</summary>
    public void SetClock()
    {
        if (!IsUp)
        {
            return;
        }

        var error = kernel.Random.Chance(0.3) ? UsualError : LongestJump;
        Lane!.Time.WallClockError = kernel.Random.Between(-error, error);
        kernel.Coverage.Count("nodes: clock set");
        kernel.Trace.Note($"{Lane.Name}: the clock is off by {Lane.Time.WallClockError}");
    }

    /// <summary>kill -9: the node stops between two steps and nothing of it ever runs again.</summary>
    public void Kill()
    {
        kernel.Trace.Note($"{Lane!.Name} is killed");
        Lane.Kill();
    }

    public void Pause()
    {
        kernel.Trace.Note($"{Lane!.Name} is paused");
        Lane.Pause();
    }

    public void Resume()
    {
        kernel.Trace.Note($"{Lane!.Name} wakes");
        Lane.Resume();
    }
}
