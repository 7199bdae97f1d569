using Millrace.Tests.Clients;
using Xunit;

namespace Millrace.Tests.Acceptance;

/// <summary>Three brokers in racks of their own, each with two listeners for clients, with a topic of nine partitions.</summary>
public sealed class RackedCluster : IAsyncLifetime
{
    private const int Count = 3;

    private readonly TemporaryDirectory _directory = new();
    private BrokerCluster? _brokers;

    internal BrokerCluster Brokers => _brokers!;

    /// <summary>Names of the listeners, and by which host clients reach them.</summary>
    internal static IReadOnlyList<(string Listener, string Host)> Listeners { get; } = [("INTERNAL", "127.0.0.1"), ("EXTERNAL", "localhost")];

    private string Store => $"file://{_directory.Sub("store")}";

    public async ValueTask InitializeAsync()
    {
        _brokers = await BrokerCluster.StartAsync(_directory, Count, [], index => Arguments($"rack-{index}"));
        await TestTopic.CreateAsync(_brokers[0].BootstrapServers, "asked", partitions: 9);
    }

    /// <summary>Starts one more.</summary>
    internal Task<MillraceProcess> AddAsync(string dataDirectory, string rack) => MillraceProcess.StartAsync(dataDirectory, Arguments(rack));

    public async ValueTask DisposeAsync()
    {
        if (_brokers is not null)
        {
            await _brokers.DisposeAsync();
        }

        _directory.Dispose();
    }

    private string[] Arguments(string rack) =>
        [
        "--store", Store, "--wal", "object", "--set", $"broker.rack={rack}", "--set", "group.initial.rebalance.delay.ms=0",
        "--set", $"listeners={string.Join(',', Listeners.Select(each => $"{each.Listener}://{each.Host}:0"))}",
        "--set", $"listener.security.protocol.map={string.Join(',', Listeners.Select(each => $"{each.Listener}:PLAINTEXT"))}",
    ];
}
