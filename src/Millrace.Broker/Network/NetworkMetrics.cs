using System.Diagnostics.Metrics;
using Millrace.Protocol;

namespace Millrace.Broker.Network;

/// <summary>
/// What the network server measures: under our own names, and what is cheap under the names that dashboards for Kafka's JMX
/// metrics look for.
/// </summary>
internal sealed class NetworkMetrics : IDisposable
{
    private readonly Meter _meter = new("Millrace.Broker");
    private readonly Meter _kafka = new("kafka.server");
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private readonly Counter<long> _produceRequests;
    private readonly Counter<long> _fetchRequests;

    // One boxed tag an API, not one a request.
    private readonly KeyValuePair<string, object?>[] _tags =
        [.. Enumerable.Range(0, (int)ApiMessages.All[^1].Key + 1).Select(key => KeyValuePair.Create("api", (object?)((ApiKey)key).ToString()))];

    public NetworkMetrics(Func<int> connections, Func<long> requestBytes)
    {
        _duration = _meter.CreateHistogram<double>(
            "millrace.request.duration",
            "s",
            "From a request's arrival until its answer is written",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] });
        _refused = _meter.CreateCounter<long>("millrace.connections.refused", description: "Connections above a bound");
        _meter.CreateObservableGauge("millrace.connections", connections, description: "Open connections");
        _meter.CreateObservableGauge("millrace.request.bytes", requestBytes, "By", "Bytes of requests under way");
        _bytesIn = _kafka.CreateCounter<long>("kafka_server_brokertopicmetrics_bytesin");
        _bytesOut = _kafka.CreateCounter<long>("kafka_server_brokertopicmetrics_bytesout");
        _produceRequests = _kafka.CreateCounter<long>("kafka_server_brokertopicmetrics_totalproducerequests");
        _fetchRequests = _kafka.CreateCounter<long>("kafka_server_brokertopicmetrics_totalfetchrequests");
    }

    public void Refused() => _refused.Add(1);

    /// <param name="api">What was asked.</param>
    /// <param name="duration">Until the answer was written or given up.</param>
    /// <param name="requestBytes">The frame's size.</param>
    /// <param name="responseBytes">0 if none was written.</param>
    public void Answered(ApiKey api, TimeSpan duration, int requestBytes, int responseBytes)
    {
        _duration.Record(duration.TotalSeconds, _tags[(int)api]);
        if (api == ApiKey.Produce)
        {
            _bytesIn.Add(requestBytes);
            _produceRequests.Add(1);
        }
        else if (api == ApiKey.Fetch)
        {
            _bytesOut.Add(responseBytes);
            _fetchRequests.Add(1);
        }
    }

    public void Dispose()
    {
        _meter.Dispose();
        _kafka.Dispose();
    }
}
