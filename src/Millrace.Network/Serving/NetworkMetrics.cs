using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using Millrace.Network.Requests;
using Millrace.Protocol;

namespace Millrace.Network.Serving;

/// <summary>What the network server measures: connections, requests by API, and the memory of requests under way.</summary>
internal sealed class NetworkMetrics : IDisposable
{
    private static readonly InstrumentAdvice<double> DurationBuckets = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    };

    private readonly Meter _meter;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _connectionsRefused;
    private readonly Counter<long> _requestsRefused;

    // One boxed tag an API, not one a request.
    private readonly FrozenDictionary<ApiKey, KeyValuePair<string, object?>> _tags;

    private readonly FrozenDictionary<ApiKey, ErrorTally> _errors;

    private long _answered;

    /// <param name="meter">The name of the meter: clients' servers and nodes' are measured apart.</param>
    /// <param name="apis">All that are served.</param>
    /// <param name="connections">How many are open.</param>
    /// <param name="budgets">The memory of requests.</param>
    public NetworkMetrics(string meter, IEnumerable<ApiEntry> apis, Func<int> connections, RequestBudgets budgets)
    {
        _meter = new Meter(meter);
        _tags = apis.ToFrozenDictionary(api => api.Key, api => KeyValuePair.Create("api", (object?)api.Name));
        _duration = _meter.CreateHistogram(
            "millrace.request.duration",
            "s",
            "From a request's arrival until its answer is written",
            tags: null,
            DurationBuckets);
        var errors = _meter.CreateCounter<long>("millrace.request.errors", "{error}", "Error codes in answers: one a partition, topic or group that has one");
        _errors = _tags.ToFrozenDictionary(tag => tag.Key, tag => new ErrorTally(errors, tag.Value));
        _requestsRefused = _meter.CreateCounter<long>(
            "millrace.requests.refused",
            "{request}",
            "Requests that could not be decoded or are not served; their connections were closed");
        _connectionsRefused = _meter.CreateCounter<long>("millrace.connections.refused", "{connection}", "Connections above a bound");
        _meter.CreateObservableGauge("millrace.connections", connections, "{connection}", "Open connections");
        _meter.CreateObservableGauge(
            "millrace.request.bytes", () => Each(budgets, static budget => budget.Used), "By", "Bytes of requests under way");
        _meter.CreateObservableGauge(
            "millrace.request.limit", () => Each(budgets, static budget => budget.Capacity), "By", "The most that millrace_request_bytes may be");
        _meter.CreateObservableGauge(
            "millrace.requests.unread", () => Each(budgets, static budget => budget.Waiting), "{request}", "Requests that wait for room to be read");
    }

    /// <summary>How many requests have been answered, or given up, since the server began.</summary>
    public long AnsweredRequests => Volatile.Read(ref _answered);

    public void ConnectionRefused() => _connectionsRefused.Add(1);

    public void RequestRefused() => _requestsRefused.Add(1);

    /// <param name="api">What was asked.</param>
    /// <param name="duration">Until the answer was written or given up.</param>
    public void Answered(ApiKey api, TimeSpan duration)
    {
        Interlocked.Increment(ref _answered);
        _duration.Record(duration.TotalSeconds, _tags[api]);
    }

    /// <summary>Where the errors of an API's answers are counted.</summary>
    public ErrorTally ErrorsOf(ApiKey api) => _errors[api];

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Each(RequestBudgets budgets, Func<RequestBudget, long> measure) =>
    [
        new(measure(budgets.WaitingForStore), KeyValuePair.Create("share", (object?)"waits_for_store")),
        new(measure(budgets.Others), KeyValuePair.Create("share", (object?)"other")),
    ];
}
