namespace Millrace.Broker.Partitions;

/// <summary>The bytes that come to a partition and leave it, counted where they pass.</summary>
/// <remarks>Threading: <see cref="In"/> under the partition's append lock, <see cref="Out"/> by any thread, <see cref="Take"/> by one that measures.</remarks>
internal sealed class PartitionTraffic
{
    private long _in;
    private long _out;
    private long _takenIn;
    private long _takenOut;

    /// <summary>A batch was appended.</summary>
    public void In(int bytes) => Volatile.Write(ref _in, _in + bytes);

    /// <summary>A fetch is answered with batches.</summary>
    public void Out(int bytes) => Interlocked.Add(ref _out, bytes);

    /// <summary>What has passed since this was called last.</summary>
    public (long In, long Out) Take()
    {
        var (allIn, allOut) = (Volatile.Read(ref _in), Volatile.Read(ref _out));
        var since = (allIn - _takenIn, allOut - _takenOut);
        (_takenIn, _takenOut) = (allIn, allOut);
        return since;
    }
}
