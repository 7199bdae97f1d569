using System.Net;
using System.Net.Sockets;
using Millrace.Server;
using Millrace.Server.Composition;
using Millrace.Server.Options;
using Millrace.Tests.Server.Options;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>What a process does around its node, in the process of the tests.</summary>
public sealed class NodeProcessTests : IDisposable
{
    private static readonly (string Key, string Value)[] OfATest =
        [("listeners", "PLAINTEXT://127.0.0.1:0"), ("advertised.listeners", "PLAINTEXT://localhost:9092"), (ServerSettings.Wal, "memory")];

    private readonly TemporaryDirectory _directory = new();
    private readonly RecordedLog _log = new();

    public void Dispose()
    {
        _directory.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("kraft-combined", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0")]
    [InlineData("container", "INTERNAL://127.0.0.1:0,EXTERNAL://127.0.0.1:0,CONTROLLER://127.0.0.1:0")]
    [InlineData("automq", "PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0")]
    public async Task A_node_starts_with_a_file_of_another_system(string name, string listeners)
    {
        // Its own listeners, but for their ports, which other tests may have.
        var settings = PropertiesFixture.Read(
            name,
            [
                ("listeners", listeners), (ServerSettings.Wal, "memory"), ("log.dirs", _directory.Path), (ServerSettings.HttpListener, "off"),
                .. InMemory(name),
            ]);

        await RunAsync(Options(settings), "Ready on");

        Assert.NotEmpty(_log.Saying("have no effect here"));
        Assert.Single(_log.Saying("Not opened, since there is no quorum"));
    }

    [Fact]
    public async Task Where_the_default_port_of_HTTP_is_taken_the_system_chooses_and_the_log_says_so()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = new HostPort("127.0.0.1", ((IPEndPoint)other.LocalEndpoint).Port);

        var settings = PropertiesFixture.Read("kraft-combined", [.. OfATest, (ServerSettings.Store, "memory:")]);

        await RunAsync(Options(settings) with { Http = taken }, "Ready on", "HTTP is at");

        Assert.Contains($"since another process listens on {taken}", Assert.Single(_log.Saying("HTTP is at")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_of_HTTP_that_was_asked_for_and_is_taken_refuses_the_start()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var settings = PropertiesFixture.Read(
            "kraft-combined", [.. OfATest, (ServerSettings.Store, "memory:"), (ServerSettings.HttpListener, $"{other.LocalEndpoint}")]);

        var refusal = await Assert.ThrowsAsync<NodeStartException>(() => RunAsync(Options(settings), "nothing"));

        Assert.Contains(ServerSettings.HttpListener, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_of_Kafkas_logs_is_used_with_a_warning_that_they_are_not_read()
    {
        await File.WriteAllTextAsync(_directory.Sub("meta.properties"), "version=1\n", TestContext.Current.CancellationToken);

        var settings = PropertiesFixture.Read("kraft-combined", [.. OfATest, ("log.dirs", _directory.Path), (ServerSettings.HttpListener, "off")]);

        await RunAsync(Options(settings), "Ready on");

        Assert.Single(_log.Saying("holds logs of Apache Kafka"));
    }

    private static (string Key, string Value)[] InMemory(string name) => name == "automq" ? [(ServerSettings.Store, "memory:")] : [];

    private static NodeOptions Options(NodeSettings settings) => NodeOptions.From(settings, "/nowhere");

    /// <summary>Runs a node until its log has said all of it, and stops it.</summary>
    private async Task RunAsync(NodeOptions options, params string[] until)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = new NodeProcess(TimeProvider.System, _log, options).RunAsync(stop.Token);
        var hasSaid = await Eventually.BecomesTrueAsync(
            () => running.IsCompleted || Array.TrueForAll(until, text => _log.Saying(text).Count > 0));
        if (!hasSaid || running.IsCompleted)
        {
            await running;
        }

        await stop.CancelAsync();
        Assert.Equal(0, await running);
    }
}
