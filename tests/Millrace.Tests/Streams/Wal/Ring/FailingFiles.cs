using Millrace.Runtime.Files;
using Millrace.Simulation.Disks;

namespace Millrace.Tests.Streams.Wal.Ring;

/// <summary>Real files whose WAL devices fail when a test says so.</summary>
internal sealed class FailingFiles(IFileSystem files) : FaultyDeviceFiles(files)
{
    /// <summary>Is asked before each flush; an exception fails it, a task that does not end holds it up.</summary>
    public Func<Task> BeforeFlush { get; set; } = () => Task.CompletedTask;

    /// <summary>Is asked before each write.</summary>
    public Func<Task> BeforeWrite { get; set; } = () => Task.CompletedTask;

    protected override async ValueTask WriteAsync(IWalDevice device, long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token)
    {
        await BeforeWrite();
        await base.WriteAsync(device, position, parts, token);
    }

    protected override async ValueTask FlushAsync(IWalDevice device, CancellationToken token)
    {
        await BeforeFlush();
        await base.FlushAsync(device, token);
    }
}
