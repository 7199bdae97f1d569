using System.Globalization;
using Millrace.Metadata;
using Millrace.Runtime;

namespace Millrace.Broker.Partitions;

/// <summary>Goes over the open partitions from time to time: retention by age and size, and producers that were idle for too long.</summary>
internal sealed class PartitionMaintenance(NodeRuntime runtime, PartitionTable partitions, ConfigResolver configs)
{
    public void Start() => runtime.Spawn("partition-maintenance", RunAsync);

    /// <summary>One round over every open partition.</summary>
    public async Task SweepAsync(CancellationToken token)
    {
        var expiration = Milliseconds("producer.id.expiration.ms");
        foreach (var partition in partitions.Led())
        {
            await partition.MaintainAsync(expiration, token);
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Milliseconds("log.retention.check.interval.ms"), runtime.Time, stopping);
            await SweepAsync(stopping);
        }
    }

    private TimeSpan Milliseconds(string name)
    {
        var value = configs.Broker(partitions.Image, BrokerConfigs.Find(name)!).Value!;

        // Task.Delay takes no longer than int.MaxValue milliseconds, and nobody waits for longer.
        return TimeSpan.FromMilliseconds(Math.Min(int.MaxValue, long.Parse(value, CultureInfo.InvariantCulture)));
    }
}
