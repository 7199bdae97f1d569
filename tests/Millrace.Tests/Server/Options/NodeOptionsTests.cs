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
        Assert.Equal(new HostPort("127.0.0.1", 9092), options.Listen);
        Assert.Null(options.Advertised);
    }

    [Theory]
    [InlineData("PLAINTEXT://:9092", "", 9092)]
    [InlineData("plaintext://[::1]:1", "::1", 1)]
    [InlineData("PLAINTEXT://0.0.0.0:0", "0.0.0.0", 0)]
    public void Listeners_are_read_in_Kafkas_form(string text, string host, int port) =>
        Assert.Equal(new HostPort(host, port), From(("listeners", text)).Listen);

    [Theory]
    [InlineData("listeners", "127.0.0.1:9092")]
    [InlineData("listeners", "SASL_SSL://127.0.0.1:9092")]
    [InlineData("listeners", "PLAINTEXT://a:1,PLAINTEXT://b:2")]
    [InlineData("listeners", "PLAINTEXT://::1:9092")]
    [InlineData("listeners", "PLAINTEXT://a:99999")]
    [InlineData("advertised.listeners", "PLAINTEXT://0.0.0.0:9092")]
    [InlineData("advertised.listeners", "PLAINTEXT://host:0")]
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
