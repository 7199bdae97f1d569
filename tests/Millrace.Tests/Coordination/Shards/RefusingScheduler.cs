namespace Millrace.Tests.Coordination.Shards;

/// <summary>Runs tasks on the thread pool, until it takes none any more.</summary>
internal sealed class RefusingScheduler : TaskScheduler
{
    public volatile bool Refuses;

    protected override void QueueTask(Task task)
    {
        if (Refuses)
        {
            throw new InsufficientMemoryException("none, says the test");
        }

        ThreadPool.UnsafeQueueUserWorkItem(_ => TryExecuteTask(task), null);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}
