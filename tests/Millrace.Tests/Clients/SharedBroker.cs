using Millrace.Tests.Acceptance;
using Millrace.Tests.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// One broker for a group of tests that only need some broker; each uses topics and groups of its own. MILLRACE_TEST_AGAINST puts another in its place: kafka;
/// or cluster, cluster-ceph, cluster-minio, one of three brokers on a directory or a bucket.
/// </summary>
public sealed class SharedBroker(S3Servers servers) : IAsyncLifetime
{
    private const int BrokersOfCluster = 3;
    private static readonly string[] Settings = ["--set", "group.initial.rebalance.delay.ms=0"];

    private readonly TemporaryDirectory _directory = new();
    private IAsyncDisposable? _started;

    public string BootstrapServers { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        switch (Environment.GetEnvironmentVariable("MILLRACE_TEST_AGAINST"))
        {
            case "kafka":
                Use(await KafkaProcess.StartAsync());
                break;
            case "cluster":
                await UseClusterAsync($"file://{_directory.Sub("store")}", []);
                break;
            case "cluster-ceph":
                await UseClusterAsync(await servers.CephAsync());
                break;
            case "cluster-minio":
                await UseClusterAsync(await servers.MinioAsync());
                break;
            default:
                Use(await MillraceProcess.StartAsync(_directory.Path, Settings));
                break;
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

    private void Use(IBroker broker) => (_started, BootstrapServers) = (broker, broker.BootstrapServers);

    private Task UseClusterAsync(S3Server server) => UseClusterAsync(server.Uri(Path.GetFileName(_directory.Path)), server.Credentials);

    private async Task UseClusterAsync(string store, IReadOnlyList<(string Name, string Value)> environment)
    {
        var cluster = await BrokerCluster.StartAsync(_directory, BrokersOfCluster, environment, _ => ["--store", store, "--wal", "object", .. Settings]);
        // One of them is the controller, and this may be another.
        (_started, BootstrapServers) = (cluster, cluster[1].BootstrapServers);
    }
}
