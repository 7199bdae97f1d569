using Millrace.Controller;
using Millrace.Controller.Nodes;
using Millrace.Controller.Scaling;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Scenarios;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Controller.Scaling;

/// <summary>The scaler's loop over a controller whose brokers are names, and whose loads the test tells.</summary>
public sealed class ScalerTests : IAsyncLifetime
{
    private static readonly ScaleRules Rules = new()
    {
        Window = TimeSpan.FromMilliseconds(10), Step = TimeSpan.FromMilliseconds(10), FirstPause = TimeSpan.FromMilliseconds(30),
    };

    private readonly MemoryObjectStorage _storage = new();
    private readonly RecordedHook _hook = new();
    private readonly List<NodeIncarnation> _nodes = [];
    private ControllerNode? _process;
    private AskedController? _controller;
    private Scaler? _scaler;

    public async ValueTask InitializeAsync()
    {
        var options = new ClusterControllerOptions
        {
            Settings = new Dictionary<string, string>
            {
                [BrokerConfigs.ScalerMode] = "on",
                [BrokerConfigs.ScalerMaxBrokers] = "5",
                [BrokerConfigs.ScalerOutAfter] = "0",
                [BrokerConfigs.ScalerInAfter] = "0",
                [BrokerConfigs.ScalerOutCooldown] = "0",
                [BrokerConfigs.ScalerInCooldown] = "0",
            },
            ScaleRules = Rules,
            ScalerHook = _hook,
        };
        _process = new ControllerNode(_storage);
        _controller = await _process.StartAsync(options);
        for (var i = 0; i < 3; i++)
        {
            await RegisterAsync($"n{i}");
        }

        await _controller.CreateTopicsAsync(
            new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 3, ReplicationFactor = 1 }], TimeoutMs = 30_000 }, default);
        foreach (var partition in Image.Topics["t"].Partitions)
        {
            await _controller.OpenAsync(_nodes.Single(node => node.Node == partition.Leader), partition.Stream, partition.Epoch, default);
        }

        _scaler = new Scaler(_process.Runtime, _controller.Controller, options);
    }

    public async ValueTask DisposeAsync()
    {
        await _process!.DisposeAsync();
        await _storage.DisposeAsync();
    }

    private MetadataImage Image => _controller!.Metadata.Image;

    [Fact]
    public async Task Who_is_to_go_is_drained_first_and_the_command_runs_when_nothing_is_left_on_it()
    {
        Load(0.1);
        Start();
        var victim = await VictimAsync();
        await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        Assert.Equal(1, ScaleExecution.LeftOn(Image, victim));
        Assert.Empty(_hook.Orders);

        await HandOverAsync(victim);
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));

        var order = Assert.Single(_hook.Orders);
        Assert.Equal(new ScaleOrder(3, 2, victim, $"n{victim}"), order);
        Assert.Equal(0, ScaleExecution.LeftOn(Image, victim));

        await SetAsync(BrokerConfigs.ScalerMinBrokers, "2", "");

        // It has gone: what kept it from everything is gone as well, and nobody is told again.
        await _controller!.Controller.FenceAsync(_nodes.Single(node => node.Node == victim), default);
        Assert.True(await Eventually.BecomesTrueAsync(() => ScalerConfigs.StandingOf(Image) == new ScaleStanding(2, null)));
        Assert.Equal(BrokerDuty.All, BrokerDuties.ConfiguredOf(Image, victim));
        Assert.Single(_hook.Orders);
    }

    [Fact]
    public async Task The_drain_is_undone_when_the_need_comes_back_and_a_command_that_was_told_is_told_otherwise()
    {
        Load(0.1);
        _hook.Ends = static (number, _) => Task.FromResult(new HookEnd(number == 0 ? HookOutcome.Done : HookOutcome.Failed, ""));
        Start();
        var victim = await VictimAsync();
        Load(0.45);
        Assert.True(await Eventually.BecomesTrueAsync(() => ScalerConfigs.StandingOf(Image) == new ScaleStanding(3, null)));
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(Image, victim));
        Assert.Empty(_hook.Orders);

        Load(0.1);
        victim = await VictimAsync();
        await HandOverAsync(victim);
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));
        Load(0.45);
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 1));
        Assert.Equal([new ScaleOrder(3, 2, victim, $"n{victim}"), new ScaleOrder(3, 3, null, null)], _hook.Orders.Take(2));
        Assert.Equal(1, _hook.MostAtOnce);
    }

    [Fact]
    public async Task Brokers_are_called_for_at_once_and_again_where_that_fails_which_is_shown()
    {
        Load(0.9);
        _hook.Ends = static (number, _) =>
            Task.FromResult(number < 2 ? new HookEnd(HookOutcome.Failed, "exit code 1: no machine") : new HookEnd(HookOutcome.Done, ""));
        Start();

        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count >= 3));
        Assert.All(_hook.Orders, order => Assert.Equal(new ScaleOrder(3, 5, null, null), order));
        Assert.True(await Eventually.BecomesTrueAsync(() => _scaler!.LastRun?.End?.Outcome == HookOutcome.Done));
        Assert.Equal((3, 5), (_scaler!.LastRun!.Attempt, ScalerConfigs.StandingOf(Image).Desired));
    }

    [Fact]
    public async Task An_operator_who_undrains_the_one_that_is_to_go_has_the_last_word()
    {
        Load(0.1);
        Start();
        var victim = await VictimAsync();
        await SetAsync(BrokerConfigs.ScalerInAfter, "3600000", "");
        await SetAsync(BrokerConfigs.Drained, null, $"{victim}");

        Assert.True(await Eventually.BecomesTrueAsync(() => ScalerConfigs.StandingOf(Image) == new ScaleStanding(3, null)));
        await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        Assert.Empty(_hook.Orders);
    }

    [Fact]
    public async Task Where_it_is_to_advise_nothing_is_drained_or_run_and_where_it_is_off_what_was_decided_is_forgotten()
    {
        await SetAsync(BrokerConfigs.ScalerMode, "advise", "");
        Load(0.1);
        Start();
        Assert.True(await Eventually.BecomesTrueAsync(() => ScalerConfigs.StandingOf(Image) == new ScaleStanding(2, null)));
        Assert.DoesNotContain(Image.LiveNodes, node => BrokerDuties.IsDrained(Image, node.Id));

        await SetAsync(BrokerConfigs.ScalerMode, "on", "");
        await VictimAsync();
        await SetAsync(BrokerConfigs.ScalerMode, "off", "");
        Assert.True(await Eventually.BecomesTrueAsync(() => ScalerConfigs.StandingOf(Image) == ScaleStanding.None));
        Assert.Empty(_hook.Orders);
    }

    [Fact]
    public async Task A_victim_is_drained_no_more_where_it_is_off_meanwhile()
    {
        Load(0.1);
        Start();
        var victim = await VictimAsync();
        await SetAsync(BrokerConfigs.ScalerMode, "off", "");

        Assert.True(await Eventually.BecomesTrueAsync(() => ScalerConfigs.StandingOf(Image) == ScaleStanding.None));
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(Image, victim));
    }

    private void Start() => _process!.Runtime.Spawn("scaler", _scaler!.RunAsync);

    private async Task RegisterAsync(string name)
    {
        var node = await _controller!.RegisterAsync(
            new NodeRegistration(_process!.Runtime.NewId(), [new NodeEndpoint(ListenerName.Plaintext, "localhost", 9092)], null) { Name = name }, default);
        await _controller.RegisterWalAsync(
            node, new WalDescriptor(_process.Runtime.NewId(), WalKind.Object, "somewhere", node.Node, node.Epoch), default);
        _nodes.Add(node);
    }

    /// <summary>All say from now on that they have so much to do.</summary>
    private void Load(double cpu) => _nodes.ForEach(node => _controller!.Controller.Loads.Hear(node, new NodeLoad { Cpu = cpu }));

    private async Task<NodeId> VictimAsync()
    {
        Assert.True(await Eventually.BecomesTrueAsync(() => ScalerConfigs.StandingOf(Image).Victim is not null));
        return ScalerConfigs.StandingOf(Image).Victim!.Value;
    }

    /// <summary>It closes what it leads, and the next leaders have it open.</summary>
    private async Task HandOverAsync(NodeId victim)
    {
        foreach (var partition in Image.Topics["t"].Partitions.Where(partition => partition.Leader == victim).ToArray())
        {
            await _controller!.CloseAsync(
                _nodes.Single(node => node.Node == victim), new StreamClose(partition.Stream, partition.Epoch, 0, HandsOver: true), default);
        }
    }

    private async Task SetAsync(string name, string? value, string broker) =>
        Assert.Equal(0, (await _controller!.SendAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(new()
        {
            Resources =
            [
                new()
                {
                    ResourceType = (sbyte)ConfigResourceType.Broker,
                    ResourceName = broker,
                    Configs =
                    [
                        new() { Name = name, Value = value, ConfigOperation = (sbyte)(value is null ? ConfigOperation.Delete : ConfigOperation.Set) },
                    ],
                },
            ],
        })).Responses[0].ErrorCode);
}
