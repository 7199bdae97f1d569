using Millrace.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Options;

/// <summary>Kafka's settings about listeners: what they mean, and what does not go together.</summary>
public sealed class ListenerReaderTests
{
    private const string Map = "INTERNAL:PLAINTEXT,EXTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT";

    [Theory]
    [InlineData("PLAINTEXT://:9092", "PLAINTEXT://:9092")]
    [InlineData("plaintext://[::1]:1", "PLAINTEXT://[::1]:1")]
    [InlineData(" PLAINTEXT://0.0.0.0:0 ", "PLAINTEXT://0.0.0.0:0")]
    [InlineData("INTERNAL://a:1, EXTERNAL://b:2", "INTERNAL://a:1", "EXTERNAL://b:2")]
    [InlineData("EXTERNAL://b:0,INTERNAL://a:0", "EXTERNAL://b:0", "INTERNAL://a:0")]
    [InlineData("INTERNAL://0.0.0.0:1,EXTERNAL://[::]:1", "INTERNAL://0.0.0.0:1", "EXTERNAL://[::]:1")]
    public void Listeners_are_read_in_Kafkas_form(string text, params string[] expected) =>
        Assert.Equal(expected, Read(("listeners", text), ("listener.security.protocol.map", Map)).Clients.Select(listener => listener.ToString()));

    [Fact]
    public void A_stock_file_of_a_combined_node_has_one_listener_for_clients_and_one_that_is_not_opened()
    {
        var options = Read(
            ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
            ("inter.broker.listener.name", "PLAINTEXT"),
            ("advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
            ("controller.listener.names", "CONTROLLER"),
            ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL"));

        Assert.Equal(new HostPort("localhost", 9092), Assert.Single(options.Clients).Advertised);
        Assert.Equal(["CONTROLLER://:9093"], options.NotOpened);
    }

    [Fact]
    public void A_containers_file_advertises_each_listener_by_its_own_address()
    {
        var options = Read(
            ("listeners", "INTERNAL://0.0.0.0:29092,EXTERNAL://0.0.0.0:9092,CONTROLLER://broker:29093"),
            ("advertised.listeners", "EXTERNAL://localhost:9092,INTERNAL://broker:29092"),
            ("listener.security.protocol.map", Map),
            ("controller.listener.names", "CONTROLLER"),
            ("inter.broker.listener.name", "INTERNAL"));

        Assert.Equal(["INTERNAL broker:29092", "EXTERNAL localhost:9092"], options.Clients.Select(listener => $"{listener.Name} {listener.Advertised}"));
        Assert.Equal("INTERNAL", options.InterBroker.Value);
        Assert.Equal(["CONTROLLER://broker:29093"], options.NotOpened);
    }

    [Theory]
    [InlineData("EXTERNAL://a:1,PLAINTEXT://b:2", null, "PLAINTEXT")]
    [InlineData("EXTERNAL://a:1,INTERNAL://b:2", null, "EXTERNAL")]
    [InlineData("EXTERNAL://a:1,INTERNAL://b:2", "internal", "INTERNAL")]
    public void Brokers_reach_each_other_by_the_listener_that_is_named_for_it(string listeners, string? named, string expected) =>
        Assert.Equal(expected, Read([
            ("listeners", listeners),
            ("listener.security.protocol.map", Map),
            .. named is null ? [] : new[] { ("inter.broker.listener.name", named) },
        ]).InterBroker.Value);

    [Fact]
    public void A_listener_that_is_not_among_the_advertised_ones_is_bound_and_not_told_of()
    {
        var options = Read(
            ("listeners", "INTERNAL://a:1,EXTERNAL://b:2"), ("advertised.listeners", "EXTERNAL://c:3"), ("listener.security.protocol.map", Map));

        Assert.Null(options.Clients[0].Advertised);
        Assert.Equal("EXTERNAL", options.InterBroker.Value);
    }

    [Theory]
    [InlineData("listeners takes NAME://HOST:PORT, not '127.0.0.1:9092'", "listeners=127.0.0.1:9092")]
    [InlineData("listeners: an IPv6 address stands in brackets", "listeners=PLAINTEXT://::1:9092")]
    [InlineData("listeners takes HOST:PORT", "listeners=PLAINTEXT://a:99999")]
    [InlineData("listeners is empty", "listeners=")]
    [InlineData("PLAINTEXT://a:1 and PLAINTEXT://b:2 have the same name", "listeners=PLAINTEXT://a:1,plaintext://b:2")]
    [InlineData("PLAINTEXT://a:1 and EXTERNAL://b:1 have the same port", "listeners=PLAINTEXT://a:1,EXTERNAL://b:1")]
    [InlineData("INTERNAL://127.0.0.1:1 and EXTERNAL://127.0.0.2:1 have the same port", "listeners=INTERNAL://127.0.0.1:1,EXTERNAL://127.0.0.2:1")]
    [InlineData("Add INTERNAL:PLAINTEXT to listener.security.protocol.map", "listeners=INTERNAL://a:1")]
    [InlineData("Add INTERNAL:PLAINTEXT to listener.security.protocol.map", "listeners=INTERNAL://a:1", "listener.security.protocol.map=EXTERNAL:PLAINTEXT")]
    [InlineData("the listener SSL speaks SSL, and there is no TLS and no SASL here yet", "listeners=PLAINTEXT://a:1,SSL://a:2")]
    [InlineData("the listener EXTERNAL speaks SASL_SSL", "listeners=EXTERNAL://a:1", "listener.security.protocol.map=EXTERNAL:SASL_SSL")]
    [InlineData("'TLS' is no protocol", "listener.security.protocol.map=EXTERNAL:TLS")]
    [InlineData("listener.security.protocol.map takes NAME:PROTOCOL, not 'EXTERNAL'", "listener.security.protocol.map=EXTERNAL")]
    [InlineData("none is for clients", "listeners=CONTROLLER://a:1", "controller.listener.names=CONTROLLER")]
    [InlineData("clients cannot connect to PLAINTEXT://0.0.0.0:9092", "advertised.listeners=PLAINTEXT://0.0.0.0:9092")]
    [InlineData("clients cannot connect to PLAINTEXT://host:0", "advertised.listeners=PLAINTEXT://host:0")]
    [InlineData("advertised.listeners names the listener OTHER", "advertised.listeners=OTHER://host:1")]
    [InlineData("only controllers' listeners", "controller.listener.names=CONTROLLER", "advertised.listeners=CONTROLLER://host:1")]
    [InlineData("inter.broker.listener.name is OTHER, and no listener of that name is advertised", "inter.broker.listener.name=OTHER")]
    [InlineData("which is a controllers' listener", "controller.listener.names=CONTROLLER", "inter.broker.listener.name=CONTROLLER")]
    public void What_does_not_go_together_is_refused(string expected, params string[] settings)
    {
        var entries = settings.Select(setting => setting.Split('=', 2)).Select(setting => (setting[0], setting[1])).ToArray();

        Assert.Contains(expected, Assert.Throws<SettingsException>(() => Read(entries)).Message, StringComparison.Ordinal);
    }

    private static ListenerOptions Read(params (string Key, string Value)[] settings) =>
        ListenerReader.Read(NodeSettings.From(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value))));
}
