using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Options;

public sealed class NodeSettingsTests
{
    [Theory]
    [InlineData("num.partition", "num.partitions")]
    [InlineData("log.retension.ms", "log.retention.ms")]
    [InlineData("milrace.store", "millrace.store")]
    [InlineData("num.network.thread", "num.network.threads")]
    [InlineData("s3.data.bucket", "s3.data.buckets")]
    [InlineData("auto.create.topic.enable", "auto.create.topics.enable")]
    public void An_unknown_key_is_refused_with_the_nearest_known_one(string written, string meant)
    {
        var refusal = Assert.Throws<SettingsException>(() => NodeSettings.From([KeyValuePair.Create(written, "1")]));

        Assert.Equal($"Unknown setting '{written}'. Did you mean '{meant}'?", refusal.Message);
    }

    [Fact]
    public void A_key_that_is_like_no_other_gets_no_suggestion()
    {
        var refusal = Assert.Throws<SettingsException>(() => NodeSettings.From([KeyValuePair.Create("xyzzy", "1")]));

        Assert.Equal("Unknown setting 'xyzzy'.", refusal.Message);
    }

    [Fact]
    public void All_problems_are_named_at_once()
    {
        var refusal = Assert.Throws<SettingsException>(
            () => NodeSettings.From([KeyValuePair.Create("num.partitions", "none"), KeyValuePair.Create("listener", "x")]));

        Assert.Contains("num.partitions", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("'listeners'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("millrace.scaler.desired.brokers")]
    [InlineData("millrace.scaler.victim")]
    public void What_the_scaler_keeps_in_the_cluster_stands_in_no_file(string key)
    {
        var refusal = Assert.Throws<SettingsException>(() => NodeSettings.From([KeyValuePair.Create(key, "1")]));

        Assert.Contains("kept by the cluster", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_of_several_values_counts()
    {
        var settings = NodeSettings.From([KeyValuePair.Create("num.partitions", "3"), KeyValuePair.Create("num.partitions", " 5 ")]);

        Assert.Equal(5, settings["num.partitions"].AsLong());
    }

    [Fact]
    public void A_log_names_what_is_otherwise_than_by_default_and_everything_where_it_is_asked_for()
    {
        var settings = NodeSettings.From([KeyValuePair.Create("num.partitions", "3"), KeyValuePair.Create("max.connections", "20000")]);

        Assert.Equal("num.partitions=3", settings.Changed());
        Assert.Equal("none", NodeSettings.From([]).Changed());
        Assert.Contains("max.connections=20000", settings.All(), StringComparison.Ordinal);
        Assert.Contains("millrace.upload.interval.ms=10000", settings.All(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_time_that_is_longer_than_timers_take_is_as_long_as_they_take()
    {
        var settings = NodeSettings.From([KeyValuePair.Create("millrace.upload.interval.ms", $"{long.MaxValue}")]);

        Assert.Equal(TimeSpan.FromMilliseconds(int.MaxValue), settings["millrace.upload.interval.ms"].AsMilliseconds());
    }

    [Fact]
    public void Our_own_settings_are_not_Kafkas_and_have_defaults_that_pass_their_checks()
    {
        Assert.All(ServerSettings.Own, setting => Assert.StartsWith("millrace.", setting.Name, StringComparison.Ordinal));
        Assert.Equal(ServerSettings.Own.Count, ServerSettings.Own.Select(setting => setting.Name).Distinct(StringComparer.Ordinal).Count());
        foreach (var setting in ServerSettings.Own)
        {
            Assert.Null(setting.Default is { } value ? setting.Check(value) : null);
        }
    }
}
