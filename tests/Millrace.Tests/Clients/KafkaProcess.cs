using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// Apache Kafka itself, where it is at hand: the same tests run against it with MILLRACE_TEST_AGAINST=kafka, which
/// shows that a test asks for what Kafka does.
/// </summary>
internal sealed class KafkaProcess : IBroker
{
    private const int StartAttempts = 4;

    // Two Java machines, one after the other, beside everything else that the tests run; the script gives up by itself.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(4);

    private readonly string _script;
    private readonly TemporaryDirectory _directory = new();
    private int _attempt;

    private KafkaProcess(string script) => _script = script;

    public string BootstrapServers { get; private set; } = "";

    public static async Task<KafkaProcess> StartAsync()
    {
        var kafka = new KafkaProcess(Repository.Shared("peers/kafka/kafka.sh") ?? throw new FileNotFoundException("Apache Kafka is not at hand"));
        for (var attempt = 1; ; attempt++)
        {
            // It is free now; another test may be faster. A folder each, since a start that failed leaves something behind.
            var port = FreePort();
            var start = await Tool.TryRunAsync(kafka._script, ["start", "--dir", kafka.Folder(attempt), "--port", $"{port}"], limit: StartLimit);
            if (start.ExitCode == 0)
            {
                kafka._attempt = attempt;
                kafka.BootstrapServers = $"127.0.0.1:{port}";
                return kafka;
            }

            // One that was not ready in time still runs.
            await kafka.StopAsync(attempt);
            Assert.True(attempt < StartAttempts, start.Errors);
        }
    }

    public async ValueTask DisposeAsync()
    {
        var stop = await StopAsync(_attempt);
        _directory.Dispose();
        Assert.True(stop.ExitCode == 0, stop.Errors);
    }

    private Task<ToolResult> StopAsync(int attempt) => Tool.TryRunAsync(_script, ["stop", "--dir", Folder(attempt)]);

    private string Folder(int attempt) => _directory.Sub($"{attempt}");

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
