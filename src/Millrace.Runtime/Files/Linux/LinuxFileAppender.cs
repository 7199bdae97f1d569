using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Millrace.Runtime.Files.Linux;

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

    private void Append(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.Length < files.DirectFrom)
        {
            Write(bytes, _length);
            return;
        }

        // What lies before the first whole sector and behind the last goes through the page cache: the file is never longer
        // than what was appended, so a crash leaves no padding that somebody would have to know of.
        var head = Math.Min(bytes.Length, (LinuxFile.Sector - _length % LinuxFile.Sector) % LinuxFile.Sector);
        var whole = (bytes.Length - head) / LinuxFile.Sector * LinuxFile.Sector;
        Write(bytes.Slice(0, head), _length);
        var direct = WriteDirect(bytes.Slice(head, whole), _length + head);
        Write(bytes.Slice(head + direct), _length + head + direct);
    }

    private void Write(in ReadOnlySequence<byte> bytes, long position)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        if (bytes.IsSingleSegment)
        {
            RandomAccess.Write(file, bytes.FirstSpan, position);
            return;
        }

        var parts = new List<ReadOnlyMemory<byte>>();
        foreach (var part in bytes)
        {
            parts.Add(part);
        }

        RandomAccess.Write(file, parts, position);
    }

    /// <summary>Gathers whole sectors and writes them past the page cache. Returns how many bytes it wrote: fewer where the file system refuses.</summary>
    private long WriteDirect(ReadOnlySequence<byte> bytes, long position)
    {
        if (bytes.IsEmpty || !LinuxFile.TrySetDirect(file, true, path))
        {
            return 0;
        }

        var staging = DirectStaging.Rent(bytes.Length);
        var written = 0L;
        try
        {
            while (!bytes.IsEmpty)
            {
                var piece = bytes.Slice(0, Math.Min(bytes.Length, staging.Length));
                var staged = staging.GetSpan()[..(int)piece.Length];
                piece.CopyTo(staged);
                RandomAccess.Write(file, staged, position + written);
                written += piece.Length;
                bytes = bytes.Slice(piece.End);
            }
        }
        catch (IOException refused) when (refused.HResult == LinuxError.Invalid)
        {
            // The flag was taken, but not this alignment: the rest goes as small appends do.
        }
        finally
        {
            staging.Release();
            LinuxFile.TrySetDirect(file, false, path);
        }

        return written;
    }
}
