using System.Diagnostics.Metrics;
using Millrace.Broker.Metrics;
using Millrace.Metadata.Image;

namespace Millrace.Broker.Loads;

/// <summary>
/// What is measured of this node's load and not told elsewhere: how long appends wait for the WAL, and which partitions are the busiest. Those alone are named
/// by their topics, and only <see cref="MostNamed"/> of them.
/// </summary>
/// <remarks>
/// Whoever was named once is told of for as long as the meter lives, by zeros when it is no longer among the busiest: an exporter goes on with the last that
/// it has heard, and would call it busy for ever. So a meter that has named many makes place for a new one, between two windows. Threading: observed by any
/// thread, <see cref="Renew"/> by one.
/// </remarks>
internal sealed class LoadMetrics : IDisposable
{
    /// <summary>So many are named at a time.</summary>
    public const int MostNamed = 20;

    // Exporters take 2,000 for each instrument, and there are two directions.
    private const int MostEverNamed = 500;

    private readonly LoadMeter _loads;
    private readonly IMetadataFeed _metadata;
    private readonly Meter _meter = new(BrokerMeter.Name);
    private readonly Lock _lock = new();
    private readonly HashSet<(string Topic, int Partition)> _named = [];

    // Never taken by who observes: a meter that goes may wait for them.
    private readonly Lock _renewing = new();
    private Meter? _busiest;
    private bool _isDisposed;

    /// <param name="loads">Measures.</param>
    /// <param name="metadata">Names the topics.</param>
    public LoadMetrics(LoadMeter loads, IMetadataFeed metadata)
    {
        (_loads, _metadata) = (loads, metadata);
        _meter.CreateObservableGauge(
            "millrace.wal.wait",
            () => loads.Newest is { } load ? [new Measurement<double>(load.WalWait.TotalSeconds)] : Array.Empty<Measurement<double>>(),
            "s",
            "How long appends waited for the WAL, on average over the last ten seconds");
        Renew();
    }

    /// <summary>A window is over.</summary>
    public void Renew()
    {
        lock (_renewing)
        {
            if (_isDisposed || (_busiest is not null && !ForgetsNamed()))
            {
                return;
            }

            _busiest?.Dispose();
            _busiest = new Meter(BrokerMeter.Name);
            _busiest.CreateObservableGauge(
                "millrace.busiest.partition",
                Busiest,
                "By/s",
                "Bytes a second of batches, over the last ten seconds, of the partitions led here that move the most; 0 of those that no longer do");
        }
    }

    public void Dispose()
    {
        lock (_renewing)
        {
            _isDisposed = true;
            _meter.Dispose();
            _busiest?.Dispose();
        }
    }

    private bool ForgetsNamed()
    {
        lock (_lock)
        {
            if (_named.Count < MostEverNamed)
            {
                return false;
            }

            _named.Clear();
            return true;
        }
    }

    private List<Measurement<long>> Busiest()
    {
        var image = _metadata.Image;
        var found = new List<Measurement<long>>();
        lock (_lock)
        {
            var idle = new HashSet<(string Topic, int Partition)>(_named);
            foreach (var load in (_loads.Newest?.Busiest ?? []).Take(MostNamed))
            {
                if (image.TryGetTopic(load.Topic, out var topic))
                {
                    idle.Remove((topic.Name, load.Partition));
                    _named.Add((topic.Name, load.Partition));
                    Add(found, topic.Name, load.Partition, load.BytesIn, load.BytesOut);
                }
            }

            foreach (var (topic, partition) in idle)
            {
                Add(found, topic, partition, 0, 0);
            }
        }

        return found;
    }

    private static void Add(List<Measurement<long>> found, string topic, int partition, long bytesIn, long bytesOut)
    {
        found.Add(Measured(bytesIn, topic, partition, "in"));
        found.Add(Measured(bytesOut, topic, partition, "out"));
    }

    private static Measurement<long> Measured(long bytes, string topic, int partition, string direction) =>
        new(bytes, new("topic", topic), new("partition", partition), new("direction", direction));
}
