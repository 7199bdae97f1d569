using System.Collections.Frozen;
using System.Collections.Immutable;
using Millrace.Controller.Scaling;
using Millrace.Metadata.Configs;
using Millrace.Metadata.Image;
using Millrace.Metadata.Loads;
using Millrace.Runtime.Ids;
using Xunit;

namespace Millrace.Tests.Controller.Scaling;

/// <summary>What the scaler makes of clusters of which each broker leads a partition and says what it has to do, look after look.</summary>
public sealed class ScalePlannerTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private ScalePlanner _planner = new(ScaleRules.Default, drains: true);
    private readonly SortedDictionary<int, NodeState> _nodes = [];
    private readonly SortedDictionary<int, double?> _cpu = [];
    private readonly HashSet<int> _drained = [];
    private readonly Dictionary<int, long> _bytes = [];
    private ScaleSettings _settings = new();
    private ScaleStanding _standing = ScaleStanding.None;
    private NodeId? _controller;
    private bool _failover;
    private TimeSpan _now = TimeSpan.FromHours(1);

    [Fact]
    public void Brokers_come_when_the_load_was_too_high_for_long_enough_and_so_many_as_it_asks_for()
    {
        Have(0.6, 0.6, 0.6, 0.6);

        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(2)));
        Assert.Equal((ScaleChange.Out, 5), Until(ScaleChange.Out));
        Assert.InRange(_now, TimeSpan.FromMinutes(63), TimeSpan.FromMinutes(63.5));
    }

    [Fact]
    public void A_load_that_is_too_high_now_and_then_calls_for_nobody()
    {
        Have(0.6, 0.6, 0.6);
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal((ScaleChange.None, 3), For(TimeSpan.FromMinutes(1)));
            Have(0.45, 0.45, 0.45);
            Look();
            Have(0.6, 0.6, 0.6);
        }
    }

    [Fact]
    public void As_many_come_at_once_as_half_of_those_that_serve_and_never_more_than_there_may_be()
    {
        Have(1, 1, 1, 1);
        Assert.Equal((ScaleChange.Out, 6), Until(ScaleChange.Out));

        _settings = _settings with { Max = 7 };
        Have(1, 1, 1, 1, 1, 1);
        Assert.Equal((ScaleChange.Out, 7), Until(ScaleChange.Out));
        Have(1, 1, 1, 1, 1, 1, 1);
        Assert.Equal((ScaleChange.None, 7), For(TimeSpan.FromHours(1)));
    }

    [Fact]
    public void Bytes_count_where_a_broker_is_to_move_no_more_of_them()
    {
        Have(0.1, 0.1);
        (_bytes[0], _bytes[1]) = (90_000_000, 50_000_000);
        Assert.Equal((ScaleChange.None, 2), For(TimeSpan.FromMinutes(10)));

        _settings = _settings with { TargetBytes = 50_000_000 };
        Assert.Equal((ScaleChange.Out, 3), Until(ScaleChange.Out));
    }

    [Fact]
    public void Who_is_on_its_way_is_not_called_for_again_until_it_has_had_its_time()
    {
        Have(0.6, 0.6, 0.6);
        Until(ScaleChange.Out);
        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(9)));

        // It has come, and has not told of a load yet.
        Have(0.6, 0.6, 0.6, null);
        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(9)));
        Have(0.6, 0.6, 0.6);
        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(9)));
        Assert.Equal((ScaleChange.Out, 4), Until(ScaleChange.Out));
    }

    [Fact]
    public void A_broker_that_is_fenced_is_no_reason_to_call_for_another_before_it_has_had_the_time_to_come_again()
    {
        Have(0.4, 0.4, 0.4);
        For(TimeSpan.FromMinutes(10));
        _nodes[2] = NodeState.Fenced;
        (_cpu[0], _cpu[1]) = (0.6, 0.6);

        Assert.Equal((ScaleChange.None, 3), For(TimeSpan.FromMinutes(9)));
        Assert.Equal((ScaleChange.Out, 3), Until(ScaleChange.Out));
    }

    [Fact]
    public void Nothing_is_decided_for_a_while_where_a_failover_is_under_way_or_a_broker_that_leads_has_not_told_of_its_load()
    {
        Have(1, 1, 1);
        _failover = true;
        Assert.Equal((ScaleChange.None, 3), For(TimeSpan.FromMinutes(1.5)));
        _failover = false;
        _cpu[0] = null;
        Assert.Equal((ScaleChange.None, 3), For(TimeSpan.FromMinutes(9)));
        Assert.Null(Look().Need);

        // A failover that waits for somebody who does not come is none any more.
        _cpu[0] = 1;
        _failover = true;
        Assert.Equal((ScaleChange.Out, 5), Until(ScaleChange.Out));
    }

    [Fact]
    public void One_goes_when_the_rest_would_have_little_for_a_long_time()
    {
        Have(0.3, 0.3, 0.2, 0.3);
        (_bytes[0], _bytes[1], _bytes[2], _bytes[3]) = (5, 4, 4, 5);

        // The controller has begun only now, and may not know what was changed last.
        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(29)));
        var decision = Until(ScaleChange.In);
        Assert.Equal((ScaleChange.In, 3), decision);
        Assert.Equal(new NodeId(2), _standing.Victim);
        Assert.InRange(_now, TimeSpan.FromMinutes(90), TimeSpan.FromMinutes(91));
    }

    [Fact]
    public void Nobody_goes_where_the_rest_would_have_nearly_as_much_as_they_may()
    {
        // Three would have 0.43 each, of 0.5.
        Have(0.325, 0.325, 0.325, 0.325);

        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromHours(10)));
    }

    [Fact]
    public void Neither_the_controller_goes_nor_who_is_excluded_nor_anybody_below_the_floor()
    {
        Have(0.1, 0.1, 0.1);
        (_bytes[0], _bytes[1], _bytes[2]) = (3, 2, 1);
        (_controller, _settings) = (new NodeId(2), _settings with { Excluded = FrozenSet.Create(new NodeId(1)), Min = 2 });
        Until(ScaleChange.In);
        Assert.Equal(new NodeId(0), _standing.Victim);
        Leave(0);
        _settings = _settings with { Min = 1 };
        Assert.Equal((ScaleChange.None, 2), For(TimeSpan.FromHours(10)));

        (_settings, _controller) = (_settings with { Min = 2 }, new NodeId(1));
        Assert.Equal((ScaleChange.None, 2), For(TimeSpan.FromHours(10)));
        _settings = _settings with { Min = 1 };
        Until(ScaleChange.In);
        Assert.Equal(new NodeId(2), _standing.Victim);
    }

    [Fact]
    public void The_one_that_is_to_go_stays_as_soon_as_the_rest_has_too_much()
    {
        Have(0.2, 0.2, 0.2);
        Until(ScaleChange.In);
        Assert.Equal((ScaleChange.None, 2), For(TimeSpan.FromMinutes(5)));

        (_cpu[0], _cpu[1]) = (0.6, 0.5);
        var decision = Look();
        Assert.Equal((ScaleChange.Keep, 3), (decision.Change, decision.Desired));

        Have(0.2, 0.2, 0.2);
        Assert.Equal((ScaleChange.None, 3), For(TimeSpan.FromMinutes(29)));
    }

    [Fact]
    public void Where_brokers_are_missing_none_is_taken_away_in_their_place()
    {
        Have(0.1, 0.1, 0.1);
        For(TimeSpan.FromMinutes(1));
        _nodes[0] = NodeState.Stopped;

        Assert.Equal((ScaleChange.None, 3), For(TimeSpan.FromHours(10)));
        Assert.Contains("missing", Look().Why, StringComparison.Ordinal);

        // Somebody says that it does not come again.
        _standing = _standing with { Desired = 2 };
        Assert.Equal((ScaleChange.In, 1), Until(ScaleChange.In));
    }

    [Fact]
    public void One_broker_that_never_tells_of_its_load_keeps_none_from_coming_and_lets_none_go()
    {
        Have(null, 0.9, 0.9);
        Assert.Equal((ScaleChange.None, 3), For(TimeSpan.FromMinutes(9)));
        Assert.Equal((ScaleChange.Out, 4), Until(ScaleChange.Out));
        Assert.Equal(new NodeId(0), Look().Ignored);
        Assert.InRange(_now, TimeSpan.FromMinutes(71), TimeSpan.FromMinutes(73));

        Have(null, 0.1, 0.1, 0.1);
        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromHours(10)));
        Have(0.1, 0.1, 0.1, 0.1);
        Assert.Null(Look().Ignored);
        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(14)));
        Assert.Equal((ScaleChange.In, 3), Until(ScaleChange.In));
    }

    [Fact]
    public void The_one_that_is_to_go_stays_where_there_are_to_be_more_brokers_at_least_by_now()
    {
        Have(0.1, 0.1, 0.1);
        Until(ScaleChange.In);
        _settings = _settings with { Min = 3 };

        Assert.Equal((ScaleChange.Keep, 3), Until(ScaleChange.Keep));
        Assert.Equal((ScaleChange.None, 3), For(TimeSpan.FromHours(10)));
    }

    [Fact]
    public void The_one_that_is_to_go_stays_where_somebody_has_excluded_it_meanwhile()
    {
        Have(0.1, 0.1, 0.1);
        Until(ScaleChange.In);
        var victim = _standing.Victim!.Value;
        _settings = _settings with { Excluded = FrozenSet.Create(victim) };

        Assert.Equal((ScaleChange.Keep, 3), Until(ScaleChange.Keep));
        Until(ScaleChange.In);
        Assert.NotEqual(victim, _standing.Victim);
    }

    [Fact]
    public void The_one_that_is_to_go_stays_where_it_has_become_the_controller_and_another_goes_in_its_place()
    {
        Have(0.1, 0.1, 0.1);
        Until(ScaleChange.In);
        var victim = _standing.Victim!.Value;
        (_controller, _planner) = (victim, new ScalePlanner(ScaleRules.Default, drains: true));

        Assert.Equal((ScaleChange.Keep, 3), Until(ScaleChange.Keep));
        Until(ScaleChange.In);
        Assert.NotEqual(victim, _standing.Victim);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_number_below_what_there_is_and_nobody_who_is_drained_for_it_is_no_reason_to_wait_for_one_to_go(bool wasDrained)
    {
        Have(0.1, 0.1, 0.1);
        Look();
        if (wasDrained)
        {
            // Somebody has unset who is to go.
            Until(ScaleChange.In);
            _drained.Add(_standing.Victim!.Value.Value);
        }

        _standing = new ScaleStanding(2, null);
        Assert.Equal((ScaleChange.None, 3), (Look().Change, _standing.Desired));
        Assert.Equal((ScaleChange.In, 2), Until(ScaleChange.In));
        Assert.NotNull(_standing.Victim);
    }

    [Fact]
    public void Where_others_stop_brokers_by_the_number_it_is_not_raised_because_they_take_their_time()
    {
        _planner = new ScalePlanner(ScaleRules.Default, drains: false);
        Have(0.1, 0.1, 0.1);
        Assert.Equal((ScaleChange.In, 2), Until(ScaleChange.In));
        _standing = _standing with { Victim = null };

        Assert.Equal((ScaleChange.None, 2), For(TimeSpan.FromHours(1)));
    }

    [Fact]
    public void The_next_controller_calls_off_who_was_called_for_and_has_not_come()
    {
        Have(0.6, 0.6, 0.6);
        Until(ScaleChange.Out);
        Assert.Equal(new ScaleStanding(4, null) { Former = 3 }, _standing);
        Have(0.2, 0.2, 0.2);
        _planner = new ScalePlanner(ScaleRules.Default, drains: true);

        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(9)));
        Assert.Equal((ScaleChange.Recall, 3), Until(ScaleChange.Recall));
        Assert.Equal(new ScaleStanding(3, null), _standing);
    }

    [Fact]
    public void The_one_that_is_to_go_stays_where_another_is_lost_meanwhile()
    {
        Have(0.2, 0.2, 0.2);
        Until(ScaleChange.In);
        _nodes[0] = NodeState.Fenced;

        var decision = Look();
        Assert.Equal((ScaleChange.Keep, 2), (decision.Change, decision.Desired));
    }

    [Fact]
    public void A_controller_goes_on_with_the_one_that_its_predecessor_has_drained()
    {
        Have(0.2, 0.2, 0.2);
        _standing = new ScaleStanding(2, new NodeId(1));

        Assert.Equal((ScaleChange.None, 2), For(TimeSpan.FromHours(1)));
        Assert.Equal(new NodeId(1), Look().Victim);
    }

    [Fact]
    public void Who_was_called_for_and_has_not_come_is_called_off_when_nobody_needs_it_any_more()
    {
        Have(0.6, 0.6, 0.6);
        Assert.Equal((ScaleChange.Out, 4), Until(ScaleChange.Out));
        Have(0.2, 0.2, 0.2);

        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(9)));
        Assert.Equal((ScaleChange.Recall, 3), Until(ScaleChange.Recall));
    }

    [Fact]
    public void Brokers_that_somebody_has_started_stay_for_as_long_as_any_others()
    {
        Have(0.3, 0.3, 0.3);
        Look();
        Have(0.2, 0.2, 0.2, 0.2, 0.2);

        Assert.Equal((ScaleChange.None, 5), For(TimeSpan.FromMinutes(29)));
    }

    [Fact]
    public void A_controller_goes_on_from_what_stands_and_does_not_take_brokers_for_too_many_that_have_come_meanwhile()
    {
        Have(0.4, 0.4, 0.4);
        _standing = new ScaleStanding(4, null);
        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromMinutes(9)));

        var other = new ScalePlanner(ScaleRules.Default, drains: true);
        var decision = other.Plan(Image(), Loads(), _settings, new ScaleStanding(1, null), _now);
        Assert.Equal((ScaleChange.None, 3), (decision.Change, decision.Desired));
    }

    [Fact]
    public void Who_is_drained_by_somebody_else_is_there_and_carries_nothing()
    {
        Have(0.4, 0.4, 0.4, 0);
        _drained.Add(3);
        Assert.Equal((ScaleChange.None, 4), For(TimeSpan.FromHours(5)));

        Have(0.6, 0.6, 0.6, 0);
        Assert.Equal((ScaleChange.Out, 5), Until(ScaleChange.Out));
    }

    private void Have(params double?[] cpu)
    {
        _nodes.Clear();
        _cpu.Clear();
        for (var i = 0; i < cpu.Length; i++)
        {
            _nodes[i] = NodeState.Live;
            _cpu[i] = cpu[i];
        }
    }

    private void Leave(int node)
    {
        _nodes[node] = NodeState.Stopped;
        _standing = _standing with { Victim = null };
    }

    private (ScaleChange Change, int Desired) For(TimeSpan time)
    {
        ScaleDecision? decision = null;
        for (var left = time; left > TimeSpan.Zero; left -= Window)
        {
            decision = Look();
            if (decision.Change != ScaleChange.None)
            {
                break;
            }
        }

        return (decision!.Change, decision.Desired);
    }

    private (ScaleChange Change, int Desired) Until(ScaleChange change)
    {
        for (var look = 0; look < 1_000; look++)
        {
            var decision = Look();
            if (decision.Change != ScaleChange.None)
            {
                Assert.Equal(change, decision.Change);
                return (decision.Change, decision.Desired);
            }
        }

        throw new TimeoutException($"There was no {change}: {Look().Why}");
    }

    private ScaleDecision Look()
    {
        _now += Window;
        _standing = _standing.Settled(Image(), drains: true);
        var decision = _planner.Plan(Image(), Loads(), _settings, _standing, _now);
        _planner.Begun(decision, _now);
        _standing = _standing.After(decision);
        return decision;
    }

    private Dictionary<NodeId, NodeLoad> Loads() => _cpu
        .Where(node => node.Value is not null && _nodes[node.Key] == NodeState.Live)
        .ToDictionary(node => new NodeId(node.Key), node => new NodeLoad { Cpu = node.Value!.Value, BytesIn = _bytes.GetValueOrDefault(node.Key) });

    // Each leads one, but those that have only come; and one has nobody while there is a failover.
    private MetadataImage Image()
    {
        var leaders = _nodes.Where(node => node.Value == NodeState.Live && !IsNew(node.Key)).Select(node => (NodeId?)new NodeId(node.Key)).ToList();
        var partitions = leaders.Concat(_failover ? [null] : []).Select((leader, index) => new PartitionImage(
            index, new StreamId(index), leader, new StreamEpoch(1), [leader ?? new NodeId(0)]) { PlannedTo = leader is null ? new NodeId(1) : null });
        var (id, none) = (new Guid(1, 0, 0, new byte[8]), ImmutableSortedDictionary<string, string>.Empty);
        return MetadataImage.Empty with
        {
            Controller = _controller,
            Topics = MetadataImage.Empty.Topics.Add("t", new TopicImage(id, "t", 1, [.. partitions], none)),
            BrokerConfigs = _drained.Select(node => new NodeId(node)).Concat(_standing.Victim is { } victim ? [victim] : [])
                .ToImmutableSortedDictionary(node => node, _ => none.Add(BrokerConfigs.Drained, "true")),
            Nodes = _nodes.ToImmutableSortedDictionary(
                node => new NodeId(node.Key),
                node => new NodeImage(
                    new NodeId(node.Key), new NodeEpoch(1), Guid.Empty, [new NodeEndpoint(ListenerName.Plaintext, "host", 1)], Rack: null, node.Value)),
        };
    }

    private bool IsNew(int node) => node == 3 && _cpu[node] is null;
}
