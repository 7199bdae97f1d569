using System.Diagnostics.Metrics;
using Millrace.Controller;
using Millrace.Controller.Endpoint;
using Millrace.Controller.Nodes;
using Millrace.Controller.Scaling;
using Millrace.Metadata;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Scenarios;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Xunit;

namespace Millrace.Tests.Controller.Scaling;

/// <summary>The scaler's loop over a controller whose brokers are names, and whose loads the test tells.</summary>
public sealed class ScalerTests : IAsyncLifetime
{
    private const string Desired = "millrace.scaler.brokers.desired";

    private static readonly ScaleRules Rules = new()
    {
        Window = TimeSpan.FromMilliseconds(10), Step = TimeSpan.FromMilliseconds(10), FirstPause = TimeSpan.FromMilliseconds(30),
        FailoverPatience = TimeSpan.FromMilliseconds(100),
    };

    private readonly MemoryObjectStorage _storage = new();
    private readonly List<ControllerNode> _processes = [];
    private readonly List<NodeIncarnation> _nodes = [];
    private readonly MeterListener _listener = new();
    private readonly List<(string Gauge, int Value)> _measured = [];

    // Scalers of other tests have gauges of the same names: those count that are made by what this one has started.
    private readonly AsyncLocal<bool> _isOurs = new();
    private RecordedHook _hook = new();
    private ControllerNode? _process;
    private AskedController? _controller;
    private Scaler? _scaler;

    public async ValueTask InitializeAsync()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (_isOurs.Value)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => _measured.Add((instrument.Name, value)));
        _listener.Start();
        await TakeOverAsync();
        for (var i = 0; i < 3; i++)
        {
            await RegisterAsync($"n{i}");
        }

        await _controller!.CreateTopicsAsync(
            new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 3, ReplicationFactor = 1 }], TimeoutMs = 30_000 }, default);
        foreach (var partition in Image.Topics["t"].Partitions)
        {
            await _controller.OpenAsync(_nodes.Single(node => node.Node == partition.Leader), partition.Stream, partition.Epoch, default);
        }
    }

    /// <summary>Another process becomes the controller, with a command of its own, and does not look at its log by itself.</summary>
    private async Task TakeOverAsync()
    {
        _hook = new RecordedHook();
        var options = new ClusterControllerOptions
        {
            OwnershipInterval = TimeSpan.FromHours(1),
            CalmOwnershipInterval = TimeSpan.FromHours(1),
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
        _processes.Add(_process);
        _controller = await _process.StartAsync(options);
        _scaler = new Scaler(_process.Runtime, _controller.Controller, options);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        await _storage.DisposeAsync();
    }

    private MetadataImage Image => _controller!.Metadata.Image;

    private ScaleStanding Standing => ScalerConfigs.StandingOf(Image);

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
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(2, null)));
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
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(3, null)));
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(Image, victim));
        Assert.Empty(_hook.Orders);

        Load(0.1);
        victim = await VictimAsync();
        await HandOverAsync(victim);
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));
        Load(0.45);
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 1));
        Assert.Equal([new ScaleOrder(3, 2, victim, $"n{victim}"), new ScaleOrder(3, 3, null, null)], _hook.Orders.Take(2));
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
        Assert.Equal((3, 5), (_scaler!.LastRun!.Attempt, Standing.Desired));
    }

    [Fact]
    public async Task An_operator_who_undrains_the_one_that_is_to_go_has_the_last_word()
    {
        Load(0.1);
        Start();
        var victim = await VictimAsync();
        await SetAsync(BrokerConfigs.ScalerInAfter, "3600000", "");
        await SetAsync(BrokerConfigs.Drained, null, $"{victim}");

        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(3, null)));
        await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        Assert.Empty(_hook.Orders);
    }

    [Fact]
    public async Task A_command_that_was_told_to_stop_one_that_an_operator_undrains_is_told_otherwise()
    {
        Load(0.1);
        _hook.Ends = static (_, order) => Task.FromResult(new HookEnd(order.Victim is null ? HookOutcome.Done : HookOutcome.Failed, ""));
        Start();
        var victim = await EmptyVictimAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));
        await SetAsync(BrokerConfigs.ScalerInAfter, "3600000", "");
        await SetAsync(BrokerConfigs.Drained, null, $"{victim}");

        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(3, null)));
        Assert.Equal(new ScaleOrder(3, 3, null, null), _hook.Orders[^1]);
        Assert.DoesNotContain(_hook.Orders.SkipWhile(order => order.Victim is not null), order => order.Victim is not null);
    }

    [Fact]
    public async Task A_command_that_has_failed_to_stop_one_is_not_run_again_for_that_where_another_broker_is_lost_meanwhile()
    {
        var ends = Held(new HookEnd(HookOutcome.Failed, "no"));
        await SetAsync(BrokerConfigs.ScalerMinBrokers, "2", "");
        Load(0.1);
        Start();
        var victim = await EmptyVictimAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));
        await _controller!.Controller.FenceAsync(_nodes.First(node => node.Node != victim), default);
        ends.SetResult();

        // It stays, and whoever was told to stop it is told that it does.
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(2, null)));
        Assert.Equal([new ScaleOrder(3, 2, victim, $"n{victim}"), new ScaleOrder(2, 2, null, null)], _hook.Orders);
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(Image, victim));
    }

    [Fact]
    public async Task A_command_that_has_failed_to_stop_one_is_not_run_again_for_that_where_it_is_to_lead_something_meanwhile()
    {
        var ends = Held(new HookEnd(HookOutcome.Failed, "no"));
        Load(0.1);
        Start();
        var victim = await EmptyVictimAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));
        await PlanAsync(0, victim);
        ends.SetResult();
        await Task.Delay(TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);

        Assert.Single(_hook.Orders);
    }

    [Fact]
    public async Task Nobody_is_stopped_while_it_is_not_known_whether_the_others_can_do_without_it()
    {
        Load(0.1);
        Start();
        var victim = await VictimAsync();
        await RegisterAsync("n3");
        var other = _nodes.First(node => node.Node != victim).Node;
        await PlanAsync(Image.Topics["t"].Partitions.Single(partition => partition.Leader == other).Index, _nodes[^1].Node);
        await HandOverAsync(other);
        await Task.Delay(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        await HandOverAsync(victim);
        await Task.Delay(TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken);
        Assert.Empty(_hook.Orders);

        Load(0.1);
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));
        Assert.Equal(victim, _hook.Orders[0].Victim);
    }

    [Fact]
    public async Task A_victim_that_has_become_the_controller_is_not_stopped_and_stays()
    {
        Load(0.1);
        Start();
        var victim = await VictimAsync();
        await _controller!.Controller.SubmitAsync(entry => entry.Add(new ControllerRecord { NodeId = victim.Value }), default);
        await HandOverAsync(victim);

        Assert.True(await Eventually.BecomesTrueAsync(() => BrokerDuties.Of(Image, victim) == BrokerDuty.All));
        await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        Assert.DoesNotContain(_hook.Orders, order => order.Victim == victim);
    }

    [Fact]
    public async Task Brokers_that_were_called_for_are_called_for_by_the_next_controller_where_that_was_not_done()
    {
        Load(0.9);
        _hook.Ends = static (_, _) => Task.FromResult(new HookEnd(HookOutcome.Failed, "no machine"));
        Start();
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));

        await TakeOverAsync();
        await SetAsync(BrokerConfigs.ScalerOutAfter, "3600000", "");
        Load(0.3);
        Start();
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));
        Assert.Equal(new ScaleOrder(3, 5, null, null), _hook.Orders[0]);
        Assert.Equal(new ScaleStanding(5, null) { Former = 3, IsTold = true }, Standing);
    }

    [Fact]
    public async Task What_the_command_was_told_is_taken_back_by_the_next_controller_where_its_predecessor_has_not_come_to_that()
    {
        Load(0.1);
        _hook.Ends = static (_, _) => Task.FromResult(new HookEnd(HookOutcome.Failed, "no"));
        Start();
        await EmptyVictimAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));

        await TakeOverAsync();
        Load(0.45);
        Start();
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(3, null)));
        Assert.Equal([new ScaleOrder(3, 3, null, null)], _hook.Orders);
    }

    [Fact]
    public async Task A_controller_that_is_none_any_more_and_has_not_heard_of_it_runs_the_command_no_more()
    {
        var (hook, ends) = (_hook, Held(new HookEnd(HookOutcome.Failed, "no machine")));
        Load(0.9);
        Start();
        Assert.True(await Eventually.BecomesTrueAsync(() => hook.Orders.Count > 0));

        await TakeOverAsync();
        ends.SetResult();
        await Task.Delay(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken);
        Assert.Single(hook.Orders);
    }

    [Fact]
    public async Task A_run_goes_on_to_its_end_though_another_order_stands_by_then_and_only_then_that_is_told()
    {
        var ends = Held(new HookEnd(HookOutcome.Done, ""));
        Load(0.1);
        Start();
        var victim = await EmptyVictimAsync();
        Assert.True(await Eventually.BecomesTrueAsync(() => _hook.Orders.Count > 0));
        Load(0.45);
        await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
        Assert.Single(_hook.Orders);
        Assert.Equal(victim, Standing.Victim);

        // What is found meanwhile is told to nobody before it stands.
        Assert.Equal((ScaleChange.Keep, 3), (_scaler!.State.Decision!.Change, _scaler.State.Decision.Desired));
        Assert.Equal(2, new ScalerQuestions(_scaler).Describe(_controller!.Controller.State).Desired);
        Assert.Equal([2], Measured(Desired));

        ends.SetResult();
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(3, null)));
        Assert.Equal(new ScaleOrder(3, 3, null, null), _hook.Orders[^1]);
        Assert.Equal(1, _hook.MostAtOnce);
    }

    [Fact]
    public async Task A_number_that_an_operator_sets_below_what_there_is_counts_for_nothing_until_the_load_lets_one_go()
    {
        await SetAsync(BrokerConfigs.ScalerInAfter, "3600000", "");
        Load(0.1);
        Start();
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(3, null)));
        await SetAsync(BrokerConfigs.ScalerDesired, "2", "");
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(3, null)));

        await SetAsync(BrokerConfigs.ScalerInAfter, "0", "");
        await VictimAsync();
    }

    [Fact]
    public async Task Nothing_is_told_of_a_number_before_the_first_look_and_the_limits_are_those_that_are_set()
    {
        await _controller!.Controller.SubmitAsync(static entry => ScaleExecution.Stand(entry, new ScaleStanding(4, null)), default);
        var questions = new ScalerQuestions(_scaler!);
        var told = questions.Describe(_controller.Controller.State);
        Assert.Equal((-1, 1, 5), (told.Desired, told.Min, told.Max));

        Load(0.3);
        Start();
        Assert.True(await Eventually.BecomesTrueAsync(() => questions.Describe(_controller.Controller.State).Desired == 4));
    }

    [Fact]
    public async Task Where_it_is_to_advise_nothing_is_drained_or_run_and_where_it_is_off_what_was_decided_is_forgotten()
    {
        await SetAsync(BrokerConfigs.ScalerMode, "advise", "");
        Load(0.1);
        Start();
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == new ScaleStanding(2, null)));
        Assert.DoesNotContain(Image.LiveNodes, node => BrokerDuties.IsDrained(Image, node.Id));

        await SetAsync(BrokerConfigs.ScalerMode, "on", "");
        await VictimAsync();
        Assert.Equal([2], Measured(Desired));
        await SetAsync(BrokerConfigs.ScalerMode, "off", "");
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == ScaleStanding.None));
        Assert.Empty(Measured(Desired));
        Assert.Empty(_hook.Orders);
    }

    [Fact]
    public async Task A_victim_is_drained_no_more_where_it_is_off_meanwhile()
    {
        Load(0.1);
        Start();
        var victim = await VictimAsync();
        await SetAsync(BrokerConfigs.ScalerMode, "off", "");

        Assert.True(await Eventually.BecomesTrueAsync(() => Standing == ScaleStanding.None));
        Assert.Equal(BrokerDuty.All, BrokerDuties.Of(Image, victim));
    }

    private void Start()
    {
        _isOurs.Value = true;
        _process!.Runtime.Spawn("scaler", _scaler!.RunAsync);
    }

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
        Assert.True(await Eventually.BecomesTrueAsync(() => Standing.Victim is not null));
        return Standing.Victim!.Value;
    }

    /// <summary>What a gauge shows.</summary>
    private List<int> Measured(string gauge)
    {
        _measured.Clear();
        _listener.RecordObservableInstruments();
        return [.. _measured.Where(shown => shown.Gauge == gauge).Select(static shown => shown.Value)];
    }

    private async Task<NodeId> EmptyVictimAsync()
    {
        var victim = await VictimAsync();
        await HandOverAsync(victim);
        return victim;
    }

    /// <summary>The first run of the command goes on until this is set, and ends so; all others are done at once.</summary>
    private TaskCompletionSource Held(HookEnd end)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _hook.Ends = async (number, _) =>
        {
            if (number > 0)
            {
                return new HookEnd(HookOutcome.Done, "");
            }

            await held.Task;
            return end;
        };
        return held;
    }

    private async Task PlanAsync(int partition, NodeId to) =>
        await _controller!.Controller.SubmitAsync(
            entry => entry.Add(new PartitionPlansRecord
            {
                TopicId = entry.Cluster.Topics["t"].Id, Ranges = [new() { First = partition, Count = 1, PlannedTo = to.Value }],
            }),
            default);

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
