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
    [InlineData("millrace.http.listener", "nowhere")]
    public void What_cannot_be_served_is_refused(string key, string value)
    {
        var refusal = Assert.Throws<SettingsException>(() => From((key, value)));

        Assert.Contains(key, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Http_can_be_switched_off() => Assert.Null(From(("millrace.http.listener", "off")).Http);

    private static NodeOptions From(params (string Key, string Value)[] settings) =>
        NodeOptions.From(NodeSettings.From(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))), "/var/data");
}
