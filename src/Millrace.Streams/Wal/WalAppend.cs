using Millrace.Runtime;

namespace Millrace.Streams.Wal;

/// <summary>One append on its way into a WAL, and the task its caller awaits. Behind it in the queue, and in its group, stands the next one.</summary>
internal sealed class WalAppend(IdleTasks<WalAppend> idle) : ReusableTask<WalAppend>(idle, continuesOnItsOwn: true)
{
    public StreamRecord Record { get; private set; }

    public long Position { get; private set; }

    public void Begin(in StreamRecord record, long position)
    {
        Record = record;
        Position = position;
    }

    protected override void Forget()
    {
        Record = default;
        Next = null;
    }
}
