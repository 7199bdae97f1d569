using System.Collections.Frozen;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Millrace.Metadata.Channel;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Runtime;
using Millrace.Runtime.Ids;

namespace Millrace.Controller.Balancing;

/// <summary>Lets the planner look at the cluster once in a window, for as long as this is the controller, and has its moves begun.</summary>
/// <param name="runtime">Of the controller's term.</param>
/// <param name="controller">Knows the cluster and its loads, and begins the moves.</param>
/// <param name="options">The brokers' settings.</param>
public sealed class Balancer(NodeRuntime runtime, ClusterController controller, ClusterControllerOptions options)
{
    private readonly ILogger _logger = runtime.Loggers.CreateLogger<Balancer>();
    private readonly Lock _planning = new();
    private readonly BalancePlanner _planner = new(options.BalanceRules);
    private readonly long _began = runtime.Time.GetTimestamp();
    private volatile string? _waits;

    internal BalanceHistory History { get; } = new();

    /// <summary>Why it does not look for moves at present; null if it does.</summary>
    internal string? Waits => _waits;

    /// <summary>Until the token is cancelled, or the controller has lost the log.</summary>
    public async Task RunAsync(CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(options.BalanceRules.Window, runtime.Time, token);
                await LookAsync(token);
            }
            catch (ControllerException full) when (full.Error == ControllerError.Busy)
            {
                // What was planned and not begun rests like what was: the next windows find others.
                BalanceMessages.NotBegun(_logger, full.Message);
            }
            catch (ControllerException lost) when (lost.Error == ControllerError.ControllerLost)
            {
                return;
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>What it would move now.</summary>
    internal IReadOnlyList<BalanceMove> Preview(MetadataImage image)
    {
        lock (_planning)
        {
            return _planner.Preview(image, controller.Loads.Fresh(), Excluded(image)).Moves;
        }
    }

    internal BalancerMode Mode(MetadataImage image) => Enum.Parse<BalancerMode>(Config(image, BrokerConfigs.BalancerMode), ignoreCase: true);

    private async ValueTask LookAsync(CancellationToken token)
    {
        var image = controller.Metadata.Image;
        var mode = Mode(image);
        if (mode == BalancerMode.Off)
        {
            return;
        }

        var plan = Plan(image);
        if (plan.Waits != _waits)
        {
            _waits = plan.Waits;
            BalanceMessages.Waits(_logger, plan.Waits ?? "Nothing any more");
        }

        if (plan.Moves.Count == 0)
        {
            return;
        }

        var begun = plan.Moves;
        if (mode == BalancerMode.On)
        {
            begun = (await controller.DecideAsync(entry => BalanceExecution.Begin(entry, plan.Moves), token)).Accepted();
        }

        foreach (var move in begun)
        {
            History.Add(runtime.Time.GetUtcNow(), move, mode == BalancerMode.On);
            BalanceMessages.Moves(
                _logger, mode == BalancerMode.On ? "Moves" : "Would move", image.NameOf(move.Topic), move.Partition, move.From, move.To, move.Goal, move.Bytes,
                move.FromLoad.Before, move.FromLoad.After, move.ToLoad.Before, move.ToLoad.After);
        }
    }

    private BalancePlan Plan(MetadataImage image)
    {
        lock (_planning)
        {
            return _planner.Plan(image, controller.Loads.Fresh(), Excluded(image), runtime.Time.GetElapsedTime(_began));
        }
    }

    private BalanceExclusions Excluded(MetadataImage image) =>
        new(
            Items(image, BrokerConfigs.BalancerExcludedTopics).ToFrozenSet(StringComparer.Ordinal),
            Items(image, BrokerConfigs.BalancerExcludedBrokers).Select(id => new NodeId(int.Parse(id, CultureInfo.InvariantCulture))).ToFrozenSet());

    private string[] Items(MetadataImage image, string name) =>
        Config(image, name).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    // As this broker has it, like any config of a broker: what is set for all is set for each of them.
    private string Config(MetadataImage image, string name) =>
        new ConfigResolver(image.Controller ?? MetadataImage.AllBrokers, options.Settings).Broker(image, name).AsText();
}
