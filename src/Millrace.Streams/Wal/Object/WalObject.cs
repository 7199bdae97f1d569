using Millrace.ObjectStorage.ObjectLogs;

namespace Millrace.Streams.Wal.Object;

/// <summary>An object of somebody's WAL that is being read, or was read and is kept.</summary>
/// <param name="location">Where the WAL lies.</param>
/// <param name="place">The object's in it.</param>
internal sealed class WalObject(string location, LogPlace place)
{
    private readonly TaskCompletionSource<ReadOnlyMemory<byte>?> _read = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Location => location;

    public LogPlace Place => place;

    /// <summary>Its payload; null where it cannot be had.</summary>
    public Task<ReadOnlyMemory<byte>?> Read => _read.Task;

    /// <summary>What it counts for among what is kept; none while it is being read.</summary>
    public long Bytes { get; set; }

    public void Complete(ReadOnlyMemory<byte>? payload) => _read.SetResult(payload);
}
