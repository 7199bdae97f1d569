using Microsoft.Extensions.Logging;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Scaling;

/// <summary>
/// Looks how many brokers there should be, for as long as this is the controller, and sees to it by the operator's command: for more of them at once, for
/// fewer when the one that is to go leads nothing any more.
/// </summary>
/// <remarks>
/// What it decides stands in the metadata, and what the command is to be told is found from there at each look (<see cref="StandingOrder"/>): what has changed
/// meanwhile counts, and the next controller goes on.
/// </remarks>
/// <param name="runtime">Of the controller's term.</param>
/// <param name="controller">Knows the cluster and its loads, and decides.</param>
/// <param name="options">The brokers' settings, and who runs the command.</param>
public sealed class Scaler(NodeRuntime runtime, ClusterController controller, ClusterControllerOptions options)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<Scaler>();
    private readonly long _began = runtime.Time.GetTimestamp();
    private readonly ScaleRules _rules = options.ScaleRules;
    private ScalePlanner _planner = new(options.ScaleRules, drains: false);
    private bool _acts;
    private NodeId? _ignored;
    private volatile HookRuns? _runs;
    private volatile ScalerState _state = ScalerState.None;

    internal ScalerState State => _state;

    /// <summary>The run of the command that is under way, or the last; null if there was none.</summary>
    internal HookRun? LastRun => _runs?.Last;

    /// <summary>Somebody is there who can start and stop brokers.</summary>
    internal bool HasHook => options.ScalerHook is not null;

    private MetadataImage Image => controller.Metadata.Image;

    private ScaleStanding Standing => ScalerConfigs.StandingOf(Image);

    /// <summary>Until the token is cancelled, or the controller has lost the log.</summary>
    public async Task RunAsync(CancellationToken token)
    {
        using var metrics = new ScalerMetrics(Told);
        _runs = options.ScalerHook is { } hook ? new HookRuns(runtime, hook, _rules, metrics.Ended) : null;
        try
        {
            await LoopAsync(token);
        }
        finally
        {
            if (_runs is { } runs)
            {
                await runs.CloseAsync();
            }
        }
    }

    internal ScalerMode Mode(MetadataImage image) => ScalerConfigs.ModeOf(image, ConfigsOf(image));

    internal ScaleSettings Settings(MetadataImage image) => ScalerConfigs.SettingsOf(image, ConfigsOf(image));

    /// <summary>How many brokers there should be, as anybody is told; null while that is not known: it is off, or has not looked yet.</summary>
    internal int? Desired(MetadataImage image) =>
        _state.Decision is not null && Mode(image) != ScalerMode.Off && ScalerConfigs.StandingOf(image).Desired is var desired and > 0 ? desired : null;

    private (int Current, int Desired)? Told() => Desired(Image) is { } desired ? (BrokerCensus.Count(Image), desired) : null;

    private async Task LoopAsync(CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(IsBusy() ? _rules.Step : _rules.Window, runtime.Time, token);
                await LookAsync(token);
            }
            catch (ControllerException full) when (full.Error == ControllerError.Busy)
            {
                // Nothing was begun: the next look finds the same.
                ScaleMessages.NotBegun(_logger, full.Message);
            }
            catch (ControllerException lost) when (lost.Error == ControllerError.ControllerLost)
            {
                return;
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // The cluster does without a scaler, and must not lose its controller for one.
                ScaleMessages.Failed(_logger, fault);
            }
        }
    }

    private bool IsBusy() =>
        _runs is { IsRunning: true }
        || Standing.Victim is not null
        || (_acts && _runs is { } runs && StandingOrder.Of(Image) is { } order && !runs.HasDone(order));

    private async ValueTask LookAsync(CancellationToken token)
    {
        var mode = Mode(Image);
        var acts = mode == ScalerMode.On && _runs is not null;
        if (acts != _acts)
        {
            // What was only advised nobody has begun, and the other way round.
            (_acts, _planner) = (acts, new ScalePlanner(_rules, drains: acts));
        }

        if (_runs is { } ending)
        {
            await ending.TakeInAsync();
        }

        await SettleAsync(token);
        if (mode == ScalerMode.Off)
        {
            await ForgetAsync(token);
            return;
        }

        var now = runtime.Time.GetElapsedTime(_began);
        var decision = Decide(now);
        if (decision.Change == ScaleChange.Keep && _runs is { IsRunning: true })
        {
            // What has begun to stop it is to end first: it would be given its share and lose it again.
            return;
        }

        if (await BeginAsync(decision, token))
        {
            _planner.Begun(decision, now);
        }

        if (acts && _runs is { } runs)
        {
            await TellAsync(decision, runs, token);
        }
    }

    /// <summary>Ends what is left of a former decision: what it was to bring about has come about, or somebody has said otherwise.</summary>
    private async ValueTask SettleAsync(CancellationToken token)
    {
        var (image, before) = (Image, Standing);
        var after = before.Settled(image, drains: _acts);
        if (after == before)
        {
            return;
        }

        var drains = _acts;
        await controller.SubmitAsync(entry => ScaleExecution.Settle(entry, drains), token);
        _runs?.Settle();
        if (before.Victim is not { } victim)
        {
            return;
        }

        if (image.IsLive(victim))
        {
            ScaleMessages.LetsGo(_logger, victim, "Somebody has said so.");
            _planner = new ScalePlanner(_rules, drains);
        }
        else
        {
            ScaleMessages.HasGone(_logger, victim);
        }
    }

    /// <summary>Whoever has it look again wants it to judge by what is so then.</summary>
    private async ValueTask ForgetAsync(CancellationToken token)
    {
        _planner = new ScalePlanner(_rules, _acts);
        _state = ScalerState.None;
        if (Standing != ScaleStanding.None)
        {
            await controller.SubmitAsync(static entry => ScaleExecution.Stand(entry, ScaleStanding.None), token);
        }
    }

    private ScaleDecision Decide(TimeSpan now)
    {
        var decision = _planner.Plan(Image, controller.Loads.Fresh(), Settings(Image), Standing, now);
        if (decision.Why != _state.Decision?.Why)
        {
            ScaleMessages.Finds(_logger, decision.Why);
        }

        if (decision.Need is not null && decision.Ignored != _ignored)
        {
            _ignored = decision.Ignored;
            if (_ignored is { } silent)
            {
                ScaleMessages.Ignores(_logger, silent, (int)_rules.Patience.TotalMinutes);
            }
            else
            {
                ScaleMessages.IgnoresNobody(_logger);
            }
        }

        _state = _state with { Decision = decision };
        return decision;
    }

    /// <returns>False where nothing is changed.</returns>
    private async ValueTask<bool> BeginAsync(ScaleDecision decision, CancellationToken token)
    {
        var before = Standing;
        if (decision.Change == ScaleChange.None && decision.Desired == before.Desired)
        {
            return false;
        }

        var drains = _acts;
        if ((await controller.DecideAsync(entry => ScaleExecution.Begin(entry, decision, drains), token)).Accepted() is { } refusal)
        {
            ScaleMessages.NotBegun(_logger, refusal.Message);
            return false;
        }

        if (decision.Desired != before.Desired)
        {
            ScaleMessages.Wants(_logger, decision.Current, decision.Desired, decision.Why);
        }

        if (decision.Change == ScaleChange.In && drains)
        {
            ScaleMessages.Drains(_logger, decision.Victim!.Value, decision.Why);
        }
        else if (decision.Change == ScaleChange.Keep && before.Victim is { } kept)
        {
            ScaleMessages.LetsGo(_logger, kept, decision.Why);
        }

        if (decision.Change != ScaleChange.None)
        {
            _state = _state with { Advised = decision.Victim };
        }

        return true;
    }

    /// <summary>Has the command told what stands, if it was not told yet or is to be told again.</summary>
    private async ValueTask TellAsync(ScaleDecision decision, HookRuns runs, CancellationToken token)
    {
        if (StandingOrder.Of(Image) is not { } order)
        {
            return;
        }

        if (order.Victim is not null && (decision.Need is null || decision.Ignored is not null))
        {
            // Whether the others can do without it is not known now.
            return;
        }

        if (order.Victim is null && Standing is { Former: null } && runs.HasDone(order))
        {
            // Nobody is awaited: what was told before is taken back.
            await controller.SubmitAsync(static entry => ScaleExecution.Stand(entry, ScalerConfigs.StandingOf(entry.Cluster) with { IsTold = false }), token);
            return;
        }

        // Whether it stands is judged once more with the entry, and that this is the controller still only the entry says. By it the next one knows, too, that
        // something was told.
        if (runs.IsDue(order) && (await controller.DecideAsync(entry => ScaleExecution.Tell(entry, order), token)).Accepted())
        {
            runs.Begin(order, token);
        }
    }

    private ConfigResolver ConfigsOf(MetadataImage image) => new(image.Controller ?? MetadataImage.AllBrokers, options.Settings);
}
