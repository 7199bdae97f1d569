using Millrace.Controller.Scaling;
using Millrace.Controller.Topics;
using Millrace.Metadata.Configs;
using Millrace.Protocol;
using Millrace.Streams;
using Xunit;

namespace Millrace.Tests.Controller.Scaling;

/// <summary>What the scaler keeps among the configs of all brokers.</summary>
public sealed class KeptConfigsTests
{
    private readonly ClusterScript _script = new();
    private readonly ConfigChanges _changes = new(ClusterScript.Configs);

    [Fact]
    public void Whoever_replaces_the_configs_of_all_brokers_takes_nothing_of_it_away()
    {
        _script.Register(name: "n0", kind: WalKind.Object);
        _script.Do(entry => ScaleExecution.Stand(entry, new ScaleStanding(5, null) { Former = 3, IsTold = true }));

        var response = _script.Do(entry => new ConfigReplacement(_changes).Replace(entry, new AlterConfigsRequest
        {
            Resources = [new() { ResourceType = (sbyte)ConfigResourceType.Broker, Configs = [new() { Name = BrokerConfigs.ScalerMaxBrokers, Value = "7" }] }],
        }));

        Assert.Equal(0, Assert.Single(response.Responses).ErrorCode);
        Assert.Equal(new ScaleStanding(5, null) { Former = 3, IsTold = true }, ScalerConfigs.StandingOf(_script.State.Cluster));
    }

    [Theory]
    [InlineData(BrokerConfigs.ScalerVictim, "-1")]
    [InlineData(BrokerConfigs.ScalerFormer, "0")]
    [InlineData(BrokerConfigs.ScalerDesired, "0")]
    [InlineData(BrokerConfigs.ScalerTold, "false")]
    public void What_stands_for_nothing_is_nothing_also_where_somebody_has_written_it_out(string name, string value)
    {
        Set("", name, value);

        Assert.Equal(ScaleStanding.None, ScalerConfigs.StandingOf(_script.State.Cluster));
    }

    [Theory]
    [InlineData("", (short)ErrorCode.None)]
    [InlineData("0", (short)ErrorCode.InvalidRequest)]
    public void An_operator_may_say_how_many_there_should_be_but_not_of_one_broker(string broker, short error)
    {
        _script.Register(name: "n0", kind: WalKind.Object);

        var response = Set(broker, BrokerConfigs.ScalerDesired, "2");

        Assert.Equal(error, Assert.Single(response.Responses).ErrorCode);
        Assert.Equal(error == 0 ? 2 : 0, ScalerConfigs.StandingOf(_script.State.Cluster).Desired);
    }

    private IncrementalAlterConfigsResponse Set(string broker, string name, string value) =>
        _script.Do(entry => _changes.Alter(entry, new IncrementalAlterConfigsRequest
        {
            Resources =
            [
                new()
                {
                    ResourceType = (sbyte)ConfigResourceType.Broker, ResourceName = broker,
                    Configs = [new() { Name = name, Value = value, ConfigOperation = (sbyte)ConfigOperation.Set }],
                },
            ],
        }));
}
