using Millrace.Metadata.Loads;

namespace Millrace.Cluster.Loads;

/// <summary>A node's load in its heartbeats.</summary>
internal static class LoadForms
{
    private const int Whole = 1_000_000;

    // A petabyte a second, or of memory: sums of these stay far from the end of the numbers.
    private const long Most = 1L << 50;

    private const long MicrosecondsADay = 24L * 3_600 * 1_000_000;

    public static NodeHeartbeatRequest.MeasuredLoad Write(NodeLoad load)
    {
        var busiest = new NodeHeartbeatRequest.BusyPartition[Math.Min(load.Busiest.Length, NodeLoad.MostBusiest)];
        for (var i = 0; i < busiest.Length; i++)
        {
            var one = load.Busiest[i];
            busiest[i] = new() { TopicId = one.Topic, Partition = one.Partition, BytesIn = one.BytesIn, BytesOut = one.BytesOut };
        }

        return new()
        {
            CpuMillionths = (int)(load.Cpu * Whole),
            BytesIn = load.BytesIn,
            BytesOut = load.BytesOut,
            Requests = load.Requests,
            WalWaitUs = (long)load.WalWait.TotalMicroseconds,
            Memory = load.Memory,
            Busiest = busiest,
        };
    }

    /// <summary>Null for what no node measures: nothing may be decided by it.</summary>
    public static NodeLoad? Read(NodeHeartbeatRequest.MeasuredLoad told)
    {
        if (told.CpuMillionths is < 0 or > Whole || told.WalWaitUs is < 0 or > MicrosecondsADay
            || !IsAmount(told.BytesIn) || !IsAmount(told.BytesOut) || !IsAmount(told.Requests) || !IsAmount(told.Memory)
            || told.Busiest.Count > NodeLoad.MostBusiest)
        {
            return null;
        }

        foreach (var one in told.Busiest)
        {
            if (one.Partition < 0 || !IsAmount(one.BytesIn) || !IsAmount(one.BytesOut))
            {
                return null;
            }
        }

        return new NodeLoad
        {
            Cpu = (double)told.CpuMillionths / Whole,
            BytesIn = told.BytesIn,
            BytesOut = told.BytesOut,
            Requests = told.Requests,
            WalWait = TimeSpan.FromMicroseconds(told.WalWaitUs),
            Memory = told.Memory,
            Busiest = [.. told.Busiest.Select(one => new PartitionLoad(one.TopicId, one.Partition, one.BytesIn, one.BytesOut))],
        };
    }

    private static bool IsAmount(long told) => told is >= 0 and <= Most;
}
