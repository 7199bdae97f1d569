using System.Buffers;
using Millrace.Runtime.Files;

namespace Millrace.Simulation.Disks;

/// <summary>A new file, open for appending.</summary>
internal sealed class SimulatedAppender(SimulatedFileSystem files, SimulatedFile file, string path) : IFileAppender
{
    private long _end;

    public ValueTask AppendAsync(ReadOnlySequence<byte> bytes, CancellationToken token)
    {
        var position = _end;
        _end += bytes.Length;
        return files.WriteAsync(file, SimulatedWrite.Of(file, position, bytes), path, token);
    }

    public ValueTask SyncAsync(CancellationToken token) => files.SyncAsync(file, path, token);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
