using Millrace.Tests.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// One broker for a group of tests that only need some broker; each uses topics and groups of its own. Another may take its place: <see cref="TestAgainst"/>.
/// </summary>
public sealed class SharedBroker(S3Servers servers) : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private IAsyncDisposable? _started;

    public string BootstrapServers { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (TestAgainst.IsCluster)
        {
            var cluster = new SharedCluster(servers);
            _started = cluster;
            await cluster.InitializeAsync();
            // One of them is the controller, and this may be another.
            BootstrapServers = cluster.Addresses[1];
        }
        else
        {
            IBroker broker = TestAgainst.IsKafka
                ? await KafkaProcess.StartAsync()
                : await MillraceProcess.StartAsync(_directory.Path, "--set", "group.initial.rebalance.delay.ms=0");
            (_started, BootstrapServers) = (broker, broker.BootstrapServers);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_started is not null)
        {
            await _started.DisposeAsync();
        }

        _directory.Dispose();
    }
}
