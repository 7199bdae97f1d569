namespace Millrace.Tests.Coordination.Groups;

/// <summary>Runs a continuation where the task completes, so that a test without threads stays one.</summary>
internal sealed class Inline : TaskScheduler
{
    public static Inline Scheduler { get; } = new();

    protected override IEnumerable<Task> GetScheduledTasks() => [];

    protected override void QueueTask(Task task) => TryExecuteTask(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);
}
