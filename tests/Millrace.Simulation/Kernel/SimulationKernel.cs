using System.Diagnostics;
using Millrace.Runtime.Buffers;

namespace Millrace.Simulation.Kernel;

/// <summary>
/// One simulated world: a virtual clock, lanes of work, and one queue of what is due, all run by one thread. Which lane has
/// the next step is drawn by lot; everything else follows from the seed.
/// </summary>
/// <remarks>Threading: the thread that calls <see cref="Run"/> does everything. Work that arrives from another one is an
/// escape, which ends the run with the stack that shows where it came from.</remarks>
public sealed class SimulationKernel : IDisposable
{
    /// <summary>When every simulation begins.</summary>
    public static readonly DateTimeOffset Epoch = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // A step takes a moment, so that a loop that never waits still sees time pass.
    private static readonly long LongestStep = TimeSpan.FromMicroseconds(3).Ticks;

    private readonly PriorityQueue<(Lane Lane, Action Action), (long Due, long Sequence)> _due = new();
    private readonly List<Lane> _runnable = [];
    private readonly List<PooledBuffer> _buffers = [];
    private readonly WorldMeters _meters;
    private readonly bool _shuffleWithinLanes;
    private readonly long _maxSteps;
    private Thread? _thread;
    private string? _escape;
    private Exception? _failure;
    private long _now;
    private long _sequence;
    private int _lanes;

    public SimulationKernel(ulong seed, long maxSteps = 20_000_000)
    {
        Seed = seed;
        Random = new SeededRandom(seed);
        Trace = new Trace(this);
        _meters = new WorldMeters(() => Thread.CurrentThread == _thread);
        _maxSteps = maxSteps;
        // A lane stands for a pool of threads, which promises no order; but a schedule in order finds other things.
        _shuffleWithinLanes = Random.Chance(0.5);
        World = NewLane("world");
    }

    public ulong Seed { get; }

    public SeededRandom Random { get; }

    public Trace Trace { get; }

    public Coverage Coverage { get; } = new();

    public TimeSpan Now => TimeSpan.FromTicks(_now);

    /// <summary>The lane of everything outside the nodes: networks, disks, the scenario itself. It is never paused or killed.</summary>
    public Lane World { get; }

    public long Steps { get; private set; }

    /// <summary>The lane whose step is under way.</summary>
    public Lane? Running { get; private set; }

    public Lane NewLane(string name) => new(this, _lanes++, name);

    /// <summary>Every buffer that was made for a node, in the order in which they were.</summary>
    internal IReadOnlyList<PooledBuffer> Buffers => _buffers;

    /// <summary>Buffers for a node, which may be killed with any number of them in its hands. Those it lets go are poisoned.</summary>
    /// <param name="memory">Of its machine; without it there is always enough.</param>
    public BufferPool NewBufferPool(SimulatedMemory? memory = null) =>
        new(maxIdleBytes: 1 << 20) { Made = _buffers, Poisons = true, Taking = memory is null ? null : memory.Take };

    /// <summary>The world ends, and what its nodes left behind goes with it.</summary>
    public void Dispose()
    {
        _meters.Dispose();
        _buffers.ForEach(buffer => buffer.Free());
    }

    /// <summary>Does something on a lane at a time (at once if that has passed). Dropped if the lane is dead by then.</summary>
    public void At(TimeSpan due, Lane lane, Action action)
    {
        if (!IsOnThread())
        {
            return;
        }

        _due.Enqueue((lane, action), (Math.Max(due.Ticks, _now), NextSequence()));
    }

    /// <summary>Waits on the world's lane.</summary>
    public Task Delay(TimeSpan delay, CancellationToken token = default) => Task.Delay(delay, World.Time, token);

    /// <summary>Ends the run with a violation, from wherever it was noticed. The first one counts.</summary>
    public void Fail(Exception failure) => _failure ??= failure;

    /// <summary>Runs the world until the scenario ends.</summary>
    /// <exception cref="SimulationException">The scenario did not end, work escaped, or a violation was reported.</exception>
    public void Run(Func<Task> scenario)
    {
        _thread = Thread.CurrentThread;
        var main = World.Run(scenario);
        while (!main.IsCompleted && _failure is null)
        {
            if (!Step())
            {
                // Whatever left the simulator's thread may still be on its way back.
                Thread.Sleep(20);
                ThrowIfEscaped();
                throw new SimulationException($"Nothing is left to do at {Now}, and the scenario has not ended", this);
            }

            ThrowIfEscaped();
            if (Steps > _maxSteps)
            {
                throw new SimulationException($"The scenario has not ended after {Steps} steps, at {Now}", this);
            }
        }

        var failure = _failure ?? main.Exception?.InnerException;
        if (failure is not null)
        {
            throw new SimulationException(failure.Message, this, failure);
        }
    }

    internal long NextSequence() => _sequence++;

    internal void UpdateReady(Lane lane)
    {
        var index = _runnable.IndexOf(lane);
        if (lane.CanRun && index < 0)
        {
            _runnable.Add(lane);
        }
        else if (!lane.CanRun && index >= 0)
        {
            _runnable.RemoveAt(index);
        }
    }

    /// <summary>False for work that has escaped to another thread: it is dropped, and ends the run.</summary>
    internal bool IsOnThread()
    {
        if (_thread is null || _thread == Thread.CurrentThread)
        {
            return true;
        }

        Interlocked.CompareExchange(ref _escape, new StackTrace(1, fNeedFileInfo: true).ToString(), null);
        return false;
    }

    private bool Step()
    {
        if (_runnable.Count == 0)
        {
            if (!_due.TryPeek(out _, out var next))
            {
                return false;
            }

            _now = Math.Max(_now, next.Due);
        }

        while (_due.TryPeek(out _, out var first) && first.Due <= _now)
        {
            var (lane, action) = _due.Dequeue();
            if (!lane.Dead)
            {
                lane.Post(action);
            }
        }

        if (_runnable.Count > 0)
        {
            RunOne(_runnable[Random.Next(_runnable.Count)]);
        }

        return true;
    }

    private void RunOne(Lane lane)
    {
        var index = _shuffleWithinLanes ? Random.Next(Math.Min(4, lane.ReadyCount)) : 0;
        var (task, sequence) = lane.Take(index);
        Steps++;
        _now += 1 + Random.NextInt64(LongestStep);
        Trace.Mix(_now, lane.Number, sequence);
        Running = lane;
        lane.Execute(task);
        Running = null;
        // An async method keeps its exception for whoever awaits it; a bare callback's would vanish.
        if (task is { IsFaulted: true, Exception: { } failure } && task.GetType() == typeof(Task) && !lane.Dead)
        {
            Fail(failure.InnerException ?? failure);
        }
    }

    private void ThrowIfEscaped()
    {
        if (Volatile.Read(ref _escape) is { } stack)
        {
            throw new SimulationException($"Work has left the simulator's thread, here:\n{stack}", this);
        }
    }
}
