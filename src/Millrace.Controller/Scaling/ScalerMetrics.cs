using System.Diagnostics.Metrics;

namespace Millrace.Controller.Scaling;

/// <summary>What the scaler measures, where the controller is.</summary>
/// <remarks>Threading: any thread.</remarks>
internal sealed class ScalerMetrics : IDisposable
{
    private readonly Meter _meter = new("Millrace.Controller");
    private readonly Counter<long> _runs;

    /// <param name="told">How many brokers there are and should be, as anybody is told; null while that is not known.</param>
    public ScalerMetrics(Func<(int Current, int Desired)?> told)
    {
        _runs = _meter.CreateCounter<long>("millrace.scaler.runs", "{run}", "Runs of the scaler's command that have ended");
        Gauge("millrace.scaler.brokers.current", "Brokers that the scaler counts", numbers => numbers.Current);
        Gauge("millrace.scaler.brokers.desired", "Brokers that there should be", numbers => numbers.Desired);

        void Gauge(string name, string description, Func<(int Current, int Desired), int> value) =>
            _meter.CreateObservableGauge(
                name, () => told() is { } numbers ? (Measurement<int>[])[new(value(numbers))] : [], "{broker}", description);
    }

    public void Ended(HookRun run) => _runs.Add(1, KeyValuePair.Create("outcome", (object?)run.End!.Outcome.ToString()));

    public void Dispose() => _meter.Dispose();
}
