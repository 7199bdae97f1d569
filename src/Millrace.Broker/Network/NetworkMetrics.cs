using System.Diagnostics.Metrics;
using Millrace.Broker.Metrics;
using Millrace.Broker.Requests;
using Millrace.Protocol;

namespace Millrace.Broker.Network;

/// <summary>What the network server measures: connections, requests by API, and the memory of requests under way.</summary>
internal sealed class NetworkMetrics : IDisposable
{
    private static readonly InstrumentAdvice<double> DurationBuckets = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    };

    private readonly Meter _meter = new(BrokerMeter.Name);
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _connectionsRefused;
    private readonly Counter<long> _requestsRefused;

    // One boxed tag an API, not one a request.
    private readonly KeyValuePair<string, object?>[] _tags =
        [.. Enumerable.Range(0, (int)ApiMessages.All[^1].Key + 1).Select(key => KeyValuePair.Create("api", (object?)((ApiKey)key).ToString()))];

    private readonly ErrorTally[] _errors;

    public NetworkMetrics(Func<int> connections, RequestBudgets budgets)
    {
        _duration = _meter.CreateHistogram(
            "millrace.request.duration",
            "s",
            "From a request's arrival until its answer is written",
            tags: null,
            DurationBuckets);
        var errors = _meter.CreateCounter<long>("millrace.request.errors", "{error}", "Error codes in answers: one a partition, topic or group that has one");
        _errors = [.. _tags.Select(api => new ErrorTally(errors, api))];
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

    public void ConnectionRefused() => _connectionsRefused.Add(1);

    public void RequestRefused() => _requestsRefused.Add(1);

    /// <param name="api">What was asked.</param>
    /// <param name="duration">Until the answer was written or given up.</param>
    public void Answered(ApiKey api, TimeSpan duration) => _duration.Record(duration.TotalSeconds, _tags[(int)api]);

    /// <summary>Where the errors of an API's answers are counted.</summary>
    public ErrorTally ErrorsOf(ApiKey api) => _errors[(int)api];

    public void Dispose() => _meter.Dispose();

    private static IEnumerable<Measurement<long>> Each(RequestBudgets budgets, Func<RequestBudget, long> measure) =>
    [
        new(measure(budgets.For(ApiKey.Produce)), KeyValuePair.Create("share", (object?)"produce")),
        new(measure(budgets.For(ApiKey.Fetch)), KeyValuePair.Create("share", (object?)"other")),
    ];
}
