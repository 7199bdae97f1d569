using System.Collections.Frozen;
using System.Collections.Immutable;
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
    // Brokers that are started together are filled together, and one that leads something again already is none that is empty.
    private static readonly TimeSpan Arrival = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = runtime.Loggers.CreateLogger<Balancer>();
    private readonly Lock _planning = new();
    private BalancePlanner _planner = new(options.BalanceRules);
    private readonly long _began = runtime.Time.GetTimestamp();
    private volatile string? _waits;

    // What it has said last that it would move.
    private HashSet<(Guid Topic, int Partition, NodeId To)> _advised = [];

    private ImmutableHashSet<(NodeId Node, NodeEpoch Epoch)> _known = Live(controller.Metadata.Image);

    internal BalanceHistory History { get; } = new();

    /// <summary>Why it does not look for moves at present; null if it does.</summary>
    internal string? Waits => _waits;

    /// <summary>Until the token is cancelled, or the controller has lost the log.</summary>
    public async Task RunAsync(CancellationToken token)
    {
        var looked = runtime.Time.GetTimestamp();
        while (!token.IsCancellationRequested)
        {
            try
            {
                var left = options.BalanceRules.Window - runtime.Time.GetElapsedTime(looked);
                if (left > TimeSpan.Zero && await NodeComesAsync(left, token))
                {
                    await LookAsync((planner, image, now) => planner.Welcome(image, controller.Loads.Fresh(), Excluded(image), now), token);
                }
                else
                {
                    looked = runtime.Time.GetTimestamp();
                    await LookAsync((planner, image, now) => planner.Plan(image, controller.Loads.Fresh(), Excluded(image), now), token);
                }
            }
            catch (ControllerException full) when (full.Error == ControllerError.Busy)
            {
                // Nothing was begun: the next window's plan has it again, if it is still wanted.
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
            catch (Exception fault)
            {
                // The cluster does without a balancer, and must not lose its controller for one.
                BalanceMessages.Failed(_logger, fault);
            }
        }
    }

    /// <summary>What it would move now.</summary>
    internal BalancePlan Preview(MetadataImage image)
    {
        lock (_planning)
        {
            _planner.Rules = Rules(image);
            return _planner.Preview(image, controller.Loads.Fresh(), Excluded(image));
        }
    }

    internal BalancerMode Mode(MetadataImage image) => Enum.Parse<BalancerMode>(Config(image, BrokerConfigs.BalancerMode).AsText(), ignoreCase: true);

    /// <summary>Waits until a node is there that was not before.</summary>
    /// <returns>False if none has come within that time.</returns>
    private async ValueTask<bool> NodeComesAsync(TimeSpan within, CancellationToken token)
    {
        using var limit = new CancellationTokenSource(within, runtime.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, token);
        try
        {
            await controller.Metadata.WaitAsync(image => !_known.IsSupersetOf(Live(image)), either.Token);
            await Task.Delay(Arrival, runtime.Time, either.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return false;
        }

        _known = Live(controller.Metadata.Image);
        return true;
    }

    private async ValueTask LookAsync(Func<BalancePlanner, MetadataImage, TimeSpan, BalancePlan> look, CancellationToken token)
    {
        var image = controller.Metadata.Image;
        var mode = Mode(image);
        if (mode == BalancerMode.Off)
        {
            // Whoever has it look again wants it to judge by what is so then.
            Renew();
            return;
        }

        var now = runtime.Time.GetElapsedTime(_began);
        BalancePlan plan;
        lock (_planning)
        {
            _planner.Rules = Rules(image);
            plan = look(_planner, image, now);
        }

        if (plan.Waits != _waits)
        {
            _waits = plan.Waits;
            BalanceMessages.Waits(_logger, plan.Waits ?? "Nothing any more");
        }

        if (mode == BalancerMode.Advise)
        {
            Tell(image, [.. plan.Moves.Where(move => !_advised.Contains(KeyOf(move)))], "Would move", areBegun: false);
            _advised = [.. plan.Moves.Select(KeyOf)];
        }
        else if (plan.Moves.Count > 0)
        {
            _advised = [];
            var begun = (await controller.DecideAsync(entry => BalanceExecution.Begin(entry, plan.Moves), token)).Accepted();
            lock (_planning)
            {
                _planner.Begun(begun, now);
            }

            Tell(image, begun, "Moves", areBegun: true);
        }
    }

    private static ImmutableHashSet<(NodeId Node, NodeEpoch Epoch)> Live(MetadataImage image) => [.. image.LiveNodes.Select(node => (node.Id, node.Epoch))];

    private static (Guid Topic, int Partition, NodeId To) KeyOf(BalanceMove move) => (move.Topic, move.Partition, move.To);

    private void Tell(MetadataImage image, IReadOnlyList<BalanceMove> moves, string verb, bool areBegun)
    {
        foreach (var move in moves)
        {
            History.Add(runtime.Time.GetUtcNow(), move, areBegun);
            BalanceMessages.Moves(
                _logger, verb, image.NameOf(move.Topic), move.Partition, move.From, move.To, move.Goal, move.Bytes,
                move.FromLoad.Before, move.FromLoad.After, move.ToLoad.Before, move.ToLoad.After);
        }
    }

    private void Renew()
    {
        lock (_planning)
        {
            _planner = new BalancePlanner(options.BalanceRules);
        }

        (_advised, _waits) = ([], null);
    }

    private BalanceRules Rules(MetadataImage image) =>
        options.BalanceRules with { BeginBytes = Config(image, BrokerConfigs.BalancerBytesPerSecond).AsLong() };

    private BalanceExclusions Excluded(MetadataImage image) =>
        new(
            Items(image, BrokerConfigs.BalancerExcludedTopics).ToFrozenSet(StringComparer.Ordinal),
            Items(image, BrokerConfigs.BalancerExcludedBrokers).Select(id => new NodeId(int.Parse(id, CultureInfo.InvariantCulture))).ToFrozenSet());

    private string[] Items(MetadataImage image, string name) =>
        Config(image, name).AsText().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    // As this broker has it, like any config of a broker: what is set for all is set for each of them.
    private EffectiveConfig Config(MetadataImage image, string name) =>
        new ConfigResolver(image.Controller ?? MetadataImage.AllBrokers, options.Settings).Broker(image, name);
}
