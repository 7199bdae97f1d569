namespace Millrace.Simulation.Kernel;

/// <summary>
/// The work of one incarnation of one node: a task scheduler whose tasks the simulation runs one at a time. A lane can be
/// paused (its work waits) and killed (its work is dropped and nothing of it ever runs again, not even finally blocks).
/// </summary>
public sealed class Lane : TaskScheduler
{
    private readonly SimulationKernel _kernel;
    private readonly List<(Task Task, long Sequence)> _ready = [];

    internal Lane(SimulationKernel kernel, int number, string name)
    {
        _kernel = kernel;
        Number = number;
        Name = name;
        Time = new SimulationTimeProvider(kernel, this);
    }

    public int Number { get; }

    public string Name { get; }

    public SimulationTimeProvider Time { get; }

    public bool Dead { get; private set; }

    public bool Paused { get; private set; }

    public override int MaximumConcurrencyLevel => 1;

    internal bool CanRun => _ready.Count > 0 && !Paused;

    public void Pause()
    {
        Paused = true;
        _kernel.UpdateReady(this);
    }

    public void Resume()
    {
        Paused = false;
        _kernel.UpdateReady(this);
    }

    /// <summary>Ends the lane for good. Not from its own work: the step under way would go on.</summary>
    public void Kill()
    {
        if (ReferenceEquals(_kernel.Running, this))
        {
            throw new InvalidOperationException($"{Name} cannot kill itself in the middle of a step");
        }

        Dead = true;
        _ready.Clear();
        _kernel.UpdateReady(this);
    }

    /// <summary>Runs something on this lane as soon as its turn comes.</summary>
    public void Post(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this);

    /// <summary>Runs something on this lane and hands out its outcome; never completes if the lane is killed before.</summary>
    public Task Run(Func<Task> action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.DenyChildAttach, this).Unwrap();

    internal (Task Task, long Sequence) Take(int index)
    {
        var item = _ready[index];
        _ready.RemoveAt(index);
        _kernel.UpdateReady(this);
        return item;
    }

    internal int ReadyCount => _ready.Count;

    internal bool Execute(Task task) => TryExecuteTask(task);

    protected override void QueueTask(Task task)
    {
        if (!_kernel.IsOnThread() || Dead)
        {
            return;
        }

        _ready.Add((task, _kernel.NextSequence()));
        _kernel.UpdateReady(this);
    }

    // A continuation may run at once on the lane that completes it, as on a thread of the pool; never on another's.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && !Dead && ReferenceEquals(_kernel.Running, this) && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => _ready.Select(item => item.Task);
}
