using Microsoft.Extensions.Logging;
using Millrace.Metadata.Configs;
using Millrace.Runtime;

namespace Millrace.Broker.Partitions;

/// <summary>
/// Goes over the open partitions from time to time: retention by age and size, and producers that were idle for too long. And over their
/// producers whenever these are more than the node may remember.
/// </summary>
internal sealed class PartitionMaintenance(NodeRuntime runtime, PartitionTable partitions, ConfigResolver configs)
{
    // So many are forgotten at once, beneath the limit, that the sorting is paid for by many new ones.
    private const int KeptTenths = 9;

    public void Start()
    {
        runtime.Spawn("partition-maintenance", RunAsync);
        runtime.Spawn("producer-census", CountAsync);
    }

    /// <summary>One round over every open partition.</summary>
    public async Task SweepAsync(CancellationToken token)
    {
        var expiration = Milliseconds(BrokerConfigs.ProducerIdExpirationMs);
        foreach (var partition in partitions.Led())
        {
            await partition.MaintainAsync(expiration, token);
        }
    }

    /// <summary>Forgets those producers of all partitions that were idle for longest, if there are too many.</summary>
    public void ForgetIdlestProducers()
    {
        var limit = partitions.Producers.Limit;
        var led = partitions.Led();
        var seen = new List<long>(partitions.Producers.Count);
        foreach (var partition in led)
        {
            partition.CollectProducersLastSeen(seen);
        }

        if (seen.Count <= limit)
        {
            return;
        }

        seen.Sort();
        var excess = seen.Count - (int)(limit * (long)KeptTenths / 10);
        var newest = seen[excess - 1];

        // Of those that were last seen at the same time only as many as it takes: after an opening that may be all.
        foreach (var upTo in (ReadOnlySpan<long>)[newest - 1, newest])
        {
            foreach (var partition in led)
            {
                excess -= partition.ForgetProducers(upTo, excess);
            }
        }

        PartitionMessages.ProducersForgotten(runtime.Loggers.CreateLogger<PartitionMaintenance>(), seen.Count, limit);
    }

    private async Task CountAsync(CancellationToken stopping)
    {
        while (true)
        {
            await partitions.Producers.ExceededAsync(stopping);
            ForgetIdlestProducers();
        }
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (true)
        {
            await Task.Delay(Milliseconds(BrokerConfigs.LogRetentionCheckIntervalMs), runtime.Time, stopping);
            await SweepAsync(stopping);
        }
    }

    private TimeSpan Milliseconds(string name) => configs.Broker(partitions.Image, name).AsMilliseconds();
}
