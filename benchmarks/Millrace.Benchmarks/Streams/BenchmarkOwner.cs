using Millrace.Streams;

namespace Millrace.Benchmarks.Streams;

/// <summary>An owner without state.</summary>
internal sealed class BenchmarkOwner : IStreamOwner
{
    public IStream? Stream { get; set; }

    public OwnerState Capture(long since, bool withCheckpoint) => new(Stream!.NextOffset, default, default);

    public void OnConfirmed(long confirmOffset)
    {
    }

    public void OnLost(StreamError error)
    {
    }
}
