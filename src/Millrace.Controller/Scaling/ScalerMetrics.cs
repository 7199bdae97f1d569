using System.Diagnostics.Metrics;

namespace Millrace.Controller.Scaling;

/// <summary>What the scaler measures, where the controller is.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class ScalerMetrics : IDisposable
{
    private readonly Meter _meter = new("Millrace.Controller");
    private readonly Counter<long> _runs;

    /// <param name="last">What the scaler has decided; null while it decides nothing.</param>
    public ScalerMetrics(Func<ScaleDecision?> last)
    {
        _runs = _meter.CreateCounter<long>("millrace.scaler.runs", "{run}", "Runs of the scaler's command that have ended");
        Gauge("millrace.scaler.brokers.current", "Brokers that the scaler counts", decision => decision.Current);
        Gauge("millrace.scaler.brokers.desired", "Brokers that there should be", decision => decision.Desired);

        void Gauge(string name, string description, Func<ScaleDecision, int> value) =>
            _meter.CreateObservableGauge(
                name, () => last() is { } decision ? (Measurement<int>[])[new(value(decision))] : [], "{broker}", description);
    }

    public void Ended(HookRun run) => _runs.Add(1, KeyValuePair.Create("outcome", (object?)run.End!.Outcome.ToString()));

    public void Dispose() => _meter.Dispose();
}
