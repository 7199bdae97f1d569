using System.Buffers;

namespace Millrace.Runtime.Files;

/// <summary>A new file, open for appending. One caller at a time.</summary>
public interface IFileAppender : IAsyncDisposable
{
    ValueTask AppendAsync(ReadOnlySequence<byte> bytes, CancellationToken token = default);

    /// <summary>Makes the file's bytes durable. After an error the file must be given up: a second sync may report success for lost bytes.</summary>
    ValueTask SyncAsync(CancellationToken token = default);
}
