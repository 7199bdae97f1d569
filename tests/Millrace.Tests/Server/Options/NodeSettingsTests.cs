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

    [Fact]
    public void The_last_of_several_values_counts()
    {
        var settings = NodeSettings.From([KeyValuePair.Create("num.partitions", "3"), KeyValuePair.Create("num.partitions", " 5 ")]);

        Assert.Equal(5, settings.Number("num.partitions"));
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
