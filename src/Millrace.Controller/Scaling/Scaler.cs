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
/// <param name="runtime">Of the controller's term.</param>
/// <param name="controller">Knows the cluster and its loads, and decides.</param>
/// <param name="options">The brokers' settings, and who runs the command.</param>
public sealed class Scaler(NodeRuntime runtime, ClusterController controller, ClusterControllerOptions options)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<Scaler>();
    private readonly long _began = runtime.Time.GetTimestamp();
    private readonly ScaleRules _rules = options.ScaleRules;
    private ScalePlanner _planner = new(options.ScaleRules);
    private ScalerMetrics? _metrics;
    private bool _acts;
    private volatile HookRuns? _runs;
    private volatile ScalerState _state = ScalerState.None;

    internal ScalerState State => _state;

    /// <summary>The run of the command that is under way, or the last; null if there was none.</summary>
    internal HookRun? LastRun => _runs?.Last;

    /// <summary>Somebody is there who can start and stop brokers.</summary>
    internal bool HasHook => options.ScalerHook is not null;

    /// <summary>Until the token is cancelled, or the controller has lost the log.</summary>
    public async Task RunAsync(CancellationToken token)
    {
        using var metrics = _metrics = new ScalerMetrics(() => _state.Decision);
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

    private async Task LoopAsync(CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            try
            {
                var isBusy = _runs is { IsBusy: true } || ScalerConfigs.StandingOf(controller.Metadata.Image).Victim is not null;
                await Task.Delay(isBusy ? _rules.Step : _rules.Window, runtime.Time, token);
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

    private async ValueTask LookAsync(CancellationToken token)
    {
        var image = controller.Metadata.Image;
        var mode = Mode(image);
        var acts = mode == ScalerMode.On && _runs is not null;
        if (acts != _acts)
        {
            // What was only advised nobody has begun, and the other way round.
            (_acts, _planner) = (acts, new ScalePlanner(_rules));
        }

        if (acts && _runs is { } runs)
        {
            await LookAsync(image, runs, token);
            await runs.AdvanceAsync(token);
            return;
        }

        // One that was drained to be stopped is not stopped any more.
        await SettleAsync(image, isGone: _ => true, token);
        if (_runs is { } idle)
        {
            idle.Drop();
            await idle.AdvanceAsync(token);
        }

        if (mode == ScalerMode.Off)
        {
            await ForgetAsync(image, token);
        }
        else
        {
            await AdviseAsync(controller.Metadata.Image, token);
        }
    }

    /// <summary>Whoever has it look again wants it to judge by what is so then.</summary>
    private async ValueTask ForgetAsync(MetadataImage image, CancellationToken token)
    {
        _planner = new ScalePlanner(_rules);
        _state = ScalerState.None;
        if (ScalerConfigs.StandingOf(image).Desired != 0)
        {
            await controller.SubmitAsync(ScaleExecution.Forget, token);
        }
    }

    private async ValueTask AdviseAsync(MetadataImage image, CancellationToken token)
    {
        var now = runtime.Time.GetElapsedTime(_began);
        var decision = Decide(image, now);
        await WantAsync(image, decision, token);
        _planner.Begun(decision, now);
        if (decision.Change != ScaleChange.None)
        {
            _state = _state with { Advised = decision.Victim };
        }
    }

    private async ValueTask LookAsync(MetadataImage image, HookRuns runs, CancellationToken token)
    {
        await SettleAsync(image, victim => !image.IsLive(victim) || BrokerDuties.ConfiguredOf(image, victim) != BrokerDuty.Drained, token);
        image = controller.Metadata.Image;
        var now = runtime.Time.GetElapsedTime(_began);
        var decision = Decide(image, now);
        var victim = ScalerConfigs.StandingOf(image).Victim;
        runs.DropIfThere(decision.Current);
        switch (decision.Change)
        {
            case ScaleChange.In when await DrainAsync(decision, token):
                _planner.Begun(decision, now);
                break;
            case ScaleChange.In:
                break;
            case ScaleChange.Keep when runs.IsRunning:
                // What has begun to stop it is to end first: it would be given its share and lose it again.
                break;
            case ScaleChange.Keep:
                await KeepAsync(decision, victim, runs, token);
                _planner.Begun(decision, now);
                break;
            default:
                await WantAsync(image, decision, token);
                _planner.Begun(decision, now);
                if (decision.Change is ScaleChange.Out or ScaleChange.Recall)
                {
                    runs.Owe(new ScaleOrder(decision.Current, decision.Desired, null, null));
                }
                else if (victim is { } leaving && decision.Need is not null && decision.Desired < decision.Current && !runs.Awaits(leaving)
                    && ScaleExecution.LeftOn(image, leaving) == 0)
                {
                    runs.Owe(new ScaleOrder(decision.Current, decision.Desired, leaving, image.Nodes[leaving].Name));
                }

                break;
        }
    }

    private ScaleDecision Decide(MetadataImage image, TimeSpan now)
    {
        var settings = ScalerConfigs.SettingsOf(image, ConfigsOf(image));
        var decision = _planner.Plan(image, controller.Loads.Fresh(), settings, ScalerConfigs.StandingOf(image), now);
        if (decision.Why != _state.Decision?.Why)
        {
            ScaleMessages.Finds(_logger, decision.Why);
        }

        _state = _state with { Decision = decision, Settings = settings };
        return decision;
    }

    private async ValueTask WantAsync(MetadataImage image, ScaleDecision decision, CancellationToken token)
    {
        if (decision.Desired == ScalerConfigs.StandingOf(image).Desired)
        {
            return;
        }

        await controller.SubmitAsync(entry => ScaleExecution.Want(entry, decision.Desired), token);
        ScaleMessages.Wants(_logger, decision.Current, decision.Desired, decision.Why);
    }

    private async ValueTask<bool> DrainAsync(ScaleDecision decision, CancellationToken token)
    {
        if ((await controller.DecideAsync(entry => ScaleExecution.Drain(entry, decision), token)).Accepted() is { } refusal)
        {
            ScaleMessages.NotBegun(_logger, refusal.Message);
            return false;
        }

        ScaleMessages.Wants(_logger, decision.Current, decision.Desired, decision.Why);
        ScaleMessages.Drains(_logger, decision.Victim!.Value, decision.Why);
        return true;
    }

    private async ValueTask KeepAsync(ScaleDecision decision, NodeId? victim, HookRuns runs, CancellationToken token)
    {
        await controller.SubmitAsync(
            entry =>
            {
                ScaleExecution.Want(entry, decision.Desired);
                if (victim is { } leaving)
                {
                    ScaleExecution.LetGo(entry, leaving);
                }
            },
            token);
        ScaleMessages.Wants(_logger, decision.Current, decision.Desired, decision.Why);
        runs.Drop();
        if (victim is not { } kept)
        {
            return;
        }

        ScaleMessages.LetsGo(_logger, kept, decision.Why);
        if (runs.WasTold(kept))
        {
            // It may be about to stop it, or to try again.
            runs.Owe(new ScaleOrder(decision.Current, decision.Desired, null, null));
        }
    }

    /// <summary>Ends what is left of a scale-in: its broker has gone, or somebody has said otherwise.</summary>
    private async ValueTask SettleAsync(MetadataImage image, Func<NodeId, bool> isGone, CancellationToken token)
    {
        if (ScalerConfigs.StandingOf(image).Victim is not { } victim || !isGone(victim))
        {
            return;
        }

        var stays = image.IsLive(victim);
        var there = image.LiveNodes.Count(node => !node.IsLeaving);
        await controller.SubmitAsync(
            entry =>
            {
                ScaleExecution.LetGo(entry, victim);
                if (stays)
                {
                    ScaleExecution.Want(entry, there);
                }
            },
            token);
        _runs?.Drop();
        if (stays)
        {
            ScaleMessages.LetsGo(_logger, victim, "Somebody has said so.");
            _planner = new ScalePlanner(_rules);
        }
        else
        {
            ScaleMessages.HasGone(_logger, victim);
        }
    }

    private ConfigResolver ConfigsOf(MetadataImage image) => new(image.Controller ?? MetadataImage.AllBrokers, options.Settings);
}
