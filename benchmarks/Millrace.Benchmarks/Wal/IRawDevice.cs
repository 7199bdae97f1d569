namespace Millrace.Benchmarks.Wal;

/// <summary>A device that is written to with nothing between but the kernel, round and round.</summary>
internal interface IRawDevice : IDisposable
{
    Run Write(RawWork work, TimeSpan time);
}
