using Millrace.Broker.Partitions;
using Millrace.Metadata.Loads;
using Millrace.Runtime;
using Millrace.Streams;

namespace Millrace.Broker.Loads;

/// <summary>Measures what this node has to do, one window after another.</summary>
/// <remarks>
/// What a partition moved in the window in which it went elsewhere is left out, since it is this node's load no more. Threading: measured by one loop, read by
/// any thread.
/// </remarks>
internal sealed class LoadMeter
{
    private readonly NodeRuntime _runtime;
    private readonly PartitionTable _partitions;
    private readonly IStreamStore _streams;
    private readonly Func<ProcessUse> _process;
    private readonly Func<long> _requests;
    private readonly BusiestPartitions _busiest = new(NodeLoad.MostBusiest);
    private Mark _mark;
    private volatile NodeLoad? _newest;

    /// <param name="runtime">The node's.</param>
    /// <param name="partitions">Those that it leads.</param>
    /// <param name="streams">Where their records go.</param>
    /// <param name="process">What the process has taken of its machine by now.</param>
    /// <param name="requests">How many requests have been answered by now.</param>
    public LoadMeter(NodeRuntime runtime, PartitionTable partitions, IStreamStore streams, Func<ProcessUse> process, Func<long> requests)
    {
        (_runtime, _partitions, _streams, _process, _requests) = (runtime, partitions, streams, process, requests);
        _mark = new Mark(runtime.Time.GetTimestamp(), process(), streams.WalWaits, Requests: 0);
    }

    /// <summary>That of the last window that is over; null before the first is.</summary>
    public NodeLoad? Newest => _newest;

    /// <summary>Begins to measure. Call once.</summary>
    /// <param name="measured">Called when a window is over; must not throw.</param>
    public void Start(Action measured) => _ = _runtime.Spawn("load-meter", stopping => RunAsync(measured, stopping));

    /// <summary>Ends a window, however long it was, and begins the next.</summary>
    public void Measure()
    {
        var now = new Mark(_runtime.Time.GetTimestamp(), _process(), _streams.WalWaits, _requests());
        var seconds = _runtime.Time.GetElapsedTime(_mark.At, now.At).TotalSeconds;
        if (seconds <= 0)
        {
            return;
        }

        var (bytesIn, bytesOut) = (0L, 0L);
        foreach (var partition in _partitions.EachLed())
        {
            var passed = partition.Traffic.Take();
            bytesIn += passed.In;
            bytesOut += passed.Out;
            _busiest.Add(new PartitionLoad(partition.Id.TopicId, partition.Id.Partition, (long)(passed.In / seconds), (long)(passed.Out / seconds)));
        }

        _newest = new NodeLoad
        {
            Cpu = CpuShare(now.Process, seconds),
            BytesIn = (long)(bytesIn / seconds),
            BytesOut = (long)(bytesOut / seconds),
            Requests = (long)((now.Requests - _mark.Requests) / seconds),
            WalWait = now.WalWaits.MeanSince(_mark.WalWaits),
            Memory = now.Process.Memory,
            Busiest = _busiest.Take(),
        };
        _mark = now;
    }

    private async Task RunAsync(Action measured, CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(NodeLoad.Window, _runtime.Time, stopping);
            Measure();
            measured();
        }
    }

    // The two clocks are not read at one moment: the share may come out a little above all there is.
    private double CpuShare(ProcessUse now, double seconds) =>
        now.Processors == 0 ? 0 : Math.Clamp((now.ProcessorTime - _mark.Process.ProcessorTime).TotalSeconds / (seconds * now.Processors), 0, 1);

    private readonly record struct Mark(long At, ProcessUse Process, WalWaits WalWaits, long Requests);
}
