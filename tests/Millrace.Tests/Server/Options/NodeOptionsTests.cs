using System.Globalization;
using Millrace.Metadata.Configs;
using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Options;

public sealed class NodeOptionsTests
{
    [Fact]
    public void Without_settings_everything_lies_in_the_data_directory()
    {
        var options = From();

        Assert.Equal("file:///var/data/store", options.Store);
        Assert.Equal(["file:///var/data/wal"], options.Wals);
        Assert.Equal("PLAINTEXT://127.0.0.1:9092", Assert.Single(options.Listeners.Clients).ToString());
    }

    [Theory]
    [InlineData("file:///elsewhere", "file:///var/data/wal", "/var/data")]
    [InlineData("s3://bucket/prefix", "object", null)]
    [InlineData("memory:", "object", null)]
    public void The_WAL_lies_in_the_store_unless_that_is_a_local_directory(string store, string wal, string? directory)
    {
        var options = From((ServerSettings.Store, store));

        Assert.Equal((wal, directory), (Assert.Single(options.Wals), options.DataDirectory));
        Assert.Equal(["file:///w", "object"], From((ServerSettings.Store, store), (ServerSettings.Wal, "file:///w, object")).Wals);
    }

    [Theory]
    [InlineData("a", "a")]
    [InlineData("", null)]
    public void An_empty_rack_is_none(string rack, string? expected) => Assert.Equal(expected, From((BrokerConfigs.BrokerRack, rack)).Rack);

    [Theory]
    [InlineData("millrace.http.listener", "nowhere")]
    public void What_cannot_be_served_is_refused(string key, string value)
    {
        var refusal = Assert.Throws<SettingsException>(() => From((key, value)));

        Assert.Contains(key, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2500", "3000", "250", null)]
    [InlineData("5000", "6000", "250", null)]
    [InlineData("2600", "3000", "250", "Set millrace.lease.ms to 2504 at most, or millrace.fence.ms to 3115 at least, on all nodes")]
    [InlineData("2600", "3115", "250", null)]
    [InlineData("2500", "3000", "700", "Set millrace.heartbeat.interval.ms to 625 at most")]
    public void Times_by_which_a_node_would_answer_reads_when_another_has_its_partitions_are_refused(
        string lease, string fence, string heartbeat, string? advice)
    {
        NodeOptions Read() => From(("millrace.lease.ms", lease), ("millrace.fence.ms", fence), ("millrace.heartbeat.interval.ms", heartbeat));

        if (advice is null)
        {
            Assert.Equal(TimeSpan.FromMilliseconds(int.Parse(lease, CultureInfo.InvariantCulture)), Read().Cluster.LeaseTime);
        }
        else
        {
            Assert.Contains(advice, Assert.Throws<SettingsException>(Read).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("millrace.node.probe.ms", "501", "500", "millrace.lease.ms")]
    [InlineData("millrace.controller.ownership.interval.ms", "600", "500", "millrace.lease.ms")]
    [InlineData("millrace.metadata.poll.ms", "1501", "1500", "millrace.controller.suspicion.ms")]
    public void Looks_that_would_come_too_late_are_refused(string key, string value, string most, string limitedBy)
    {
        var refusal = Assert.Throws<SettingsException>(() => From((key, value)));

        Assert.Contains($"{key} is {value}: set it to {most} at most, or {limitedBy} higher", refusal.Message, StringComparison.Ordinal);
        From((key, most));
    }

    [Fact]
    public void Http_can_be_switched_off() => Assert.Null(From(("millrace.http.listener", "off")).Http);

    [Theory]
    [InlineData(2_592_000_000L, 2_592_000_000L)]
    [InlineData(long.MaxValue, long.MaxValue / TimeSpan.TicksPerMillisecond)]
    public void Objects_are_not_deleted_sooner_than_is_set_where_that_is_longer_than_timers_take(long set, long kept) =>
        Assert.Equal(TimeSpan.FromMilliseconds(kept), From(("millrace.object.deletion.delay.ms", $"{set}")).Cluster.Controller.DeletionDelay);

    [Fact]
    public void Objects_that_somebody_may_be_reading_are_not_deleted_at_once() =>
        Assert.Throws<SettingsException>(() => From(("millrace.object.deletion.delay.ms", "29999")));

    private static NodeOptions From(params (string Key, string Value)[] settings) =>
        NodeOptions.From(NodeSettings.From(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))), "/var/data");
}
