using Millrace.Controller.Scaling;
using Millrace.Controller.State;
using Millrace.Metadata;

namespace Millrace.Controller.Endpoint;

/// <summary>What is asked of the scaler: answered from memory.</summary>
internal sealed class ScalerQuestions(Scaler scaler)
{
    public DescribeScalerResponse Describe(ClusterState state)
    {
        var image = state.Cluster;
        var (mode, standing, told) = (scaler.Mode(image), ScalerConfigs.StandingOf(image), scaler.State);
        var settings = scaler.Settings(image);
        var victim = standing.Victim ?? (mode == ScalerMode.Advise ? told.Advised : null);
        return new DescribeScalerResponse
        {
            ControllerId = image.Controller?.Value ?? -1,
            Mode = mode.ToString().ToLowerInvariant(),
            HasCommand = scaler.HasHook,
            Current = BrokerCensus.Count(image),
            Desired = scaler.Desired(image) ?? -1,
            Min = settings.Min,
            Max = settings.Max,
            Serving = told.Decision?.Serving ?? 0,
            Why = mode == ScalerMode.Off ? "The scaler is off." : told.Decision?.Why ?? "It has not looked yet.",
            Need = told.Decision?.Need is { } need ? Describe(need, settings) : null,
            Victim = victim?.Value ?? -1,
            VictimLeads = victim is { } node ? ScaleExecution.LeftOn(image, node) : 0,
            Run = scaler.LastRun is { } run ? Describe(run) : null,
        };
    }

    private static DescribeScalerResponse.LoadNeed Describe(ScaleNeed need, ScaleSettings settings) => new()
    {
        Brokers = need.Brokers,
        Cpu = need.Cpu,
        TargetCpu = settings.TargetCpu,
        Bytes = need.Bytes,
        TargetBytes = settings.TargetBytes,
    };

    private static DescribeScalerResponse.HookRun Describe(HookRun run) => new()
    {
        At = run.At.ToUnixTimeMilliseconds(),
        Current = run.Order.Current,
        Desired = run.Order.Desired,
        Victim = run.Order.Victim?.Value ?? -1,
        Attempt = run.Attempt,
        TookMs = run.Took is { } took ? (long)took.TotalMilliseconds : -1,
        Outcome = run.End is { } end ? (sbyte)end.Outcome : (sbyte)-1,
        Words = run.End?.Words ?? "",
    };
}
