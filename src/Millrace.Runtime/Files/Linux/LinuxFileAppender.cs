using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Millrace.Runtime;

/// <summary>A new file that grows. One caller at a time.</summary>
internal sealed class LinuxFileAppender(LinuxFileSystem files, string path, SafeFileHandle file) : IFileAppender
{
    private long _length;

    public async ValueTask AppendAsync(ReadOnlySequence<byte> bytes, CancellationToken token = default)
    {
        await files.RunAsync(() => Append(bytes), token);
        _length += bytes.Length;
    }

    public async ValueTask SyncAsync(CancellationToken token = default) => await files.RunAsync(() => LinuxFile.Sync(file, path), token);

    public ValueTask DisposeAsync()
    {
        file.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Append(ReadOnlySequence<byte> bytes)
    {
        if (bytes.IsSingleSegment)
        {
            RandomAccess.Write(file, bytes.FirstSpan, _length);
            return;
        }

        var parts = new List<ReadOnlyMemory<byte>>();
        foreach (var part in bytes)
        {
            parts.Add(part);
        }

        RandomAccess.Write(file, parts, _length);
    }
}
