using System.Net.Sockets;
using System.Net;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// Apache Kafka itself, where it is at hand: the same tests run against it with MILLRACE_TEST_AGAINST=kafka, which
/// shows that a test asks for what Kafka does.
/// </summary>
internal sealed class KafkaProcess : IBroker
{
    private readonly string _script;
    private readonly TemporaryDirectory _directory = new();

    private KafkaProcess(string script) => _script = script;

    public string BootstrapServers { get; private set; } = "";

    public static async Task<KafkaProcess> StartAsync()
    {
        var kafka = new KafkaProcess(Repository.Shared("peers/kafka/kafka.sh") ?? throw new FileNotFoundException("Apache Kafka is not at hand"));
        var port = FreePort();
        var ready = await Tool.RunAsync(kafka._script, ["start", "--dir", kafka._directory.Path, "--port", $"{port}"]);
        Assert.StartsWith("ready", ready, StringComparison.Ordinal);
        kafka.BootstrapServers = $"127.0.0.1:{port}";
        return kafka;
    }

    public async ValueTask DisposeAsync()
    {
        await Tool.RunAsync(_script, ["stop", "--dir", _directory.Path]);
        _directory.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
