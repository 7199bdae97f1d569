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
        Assert.Equal("file:///var/data/wal", options.Wal);
        Assert.Equal("PLAINTEXT://127.0.0.1:9092", Assert.Single(options.Listeners.Clients).ToString());
    }

    [Theory]
    [InlineData("file:///elsewhere", "file:///var/data/wal", "/var/data")]
    [InlineData("s3://bucket/prefix", "object", null)]
    [InlineData("memory:", "object", null)]
    public void The_WAL_lies_in_the_store_unless_that_is_a_local_directory(string store, string wal, string? directory)
    {
        var options = From((ServerSettings.Store, store));

        Assert.Equal((wal, directory), (options.Wal, options.DataDirectory));
        Assert.Equal("memory", From((ServerSettings.Store, store), (ServerSettings.Wal, "memory")).Wal);
    }

    [Theory]
    [InlineData("millrace.http.listener", "nowhere")]
    public void What_cannot_be_served_is_refused(string key, string value)
    {
        var refusal = Assert.Throws<SettingsException>(() => From((key, value)));

        Assert.Contains(key, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Http_can_be_switched_off() => Assert.Null(From(("millrace.http.listener", "off")).Http);

    [Theory]
    [InlineData(2_592_000_000L, 2_592_000_000L)]
    [InlineData(long.MaxValue, long.MaxValue / TimeSpan.TicksPerMillisecond)]
    public void Objects_are_not_deleted_sooner_than_is_set_where_that_is_longer_than_timers_take(long set, long kept) =>
        Assert.Equal(TimeSpan.FromMilliseconds(kept), From(("millrace.object.deletion.delay.ms", $"{set}")).Controller.DeletionDelay);

    private static NodeOptions From(params (string Key, string Value)[] settings) =>
        NodeOptions.From(NodeSettings.From(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))), "/var/data");
}
