using System.Globalization;
using System.Text;
using Millrace.Streams;

namespace Millrace.Tests.Streams;

/// <summary>An owner that appends under a lock, as partitions do, and whose state is the offset it has reached.</summary>
internal sealed class TestOwner : IStreamOwner
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource<StreamError> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<long> _confirmed = [];

    public IStream Stream { get; set; } = null!;

    public bool HasCheckpoint { get; init; } = true;

    public bool HasAnnex { get; init; } = true;

    /// <summary>The state is filled up to so many bytes.</summary>
    public int CheckpointBytes { get; init; }

    /// <summary>Called with each confirm offset; may throw.</summary>
    public Action<long>? Confirming { get; set; }

    /// <summary>Called when its state is asked for; may throw.</summary>
    public Action? Capturing { get; set; }

    public Task<StreamError> Lost => _lost.Task;

    public IReadOnlyList<long> Confirmed
    {
        get
        {
            lock (_confirmed)
            {
                return [.. _confirmed];
            }
        }
    }

    public ValueTask AppendAsync(in StreamAppend append, AppendPermit permit)
    {
        lock (_lock)
        {
            return Stream.AppendAsync(append, permit);
        }
    }

    public OwnerState Capture(long since, bool withCheckpoint)
    {
        Capturing?.Invoke();
        lock (_lock)
        {
            var offset = Stream.NextOffset;
            return new OwnerState(
                offset,
                HasCheckpoint && withCheckpoint
                    ? Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"state {offset}").PadRight(CheckpointBytes))
                    : default(ReadOnlyMemory<byte>),
                HasAnnex ? Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"annex {since}-{offset}")) : default(ReadOnlyMemory<byte>));
        }
    }

    public void OnConfirmed(long confirmOffset)
    {
        Confirming?.Invoke(confirmOffset);
        lock (_confirmed)
        {
            _confirmed.Add(confirmOffset);
        }
    }

    public void OnLost(StreamError error) => _lost.SetResult(error);
}
