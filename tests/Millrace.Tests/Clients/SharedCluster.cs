using Millrace.Tests.Acceptance;
using Millrace.Tests.ObjectStorage.S3;
using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// Three brokers for a group of tests, each of which uses topics and groups of its own: on a directory, unless MILLRACE_TEST_AGAINST names another store.
/// </summary>
public sealed class SharedCluster(S3Servers servers) : IAsyncLifetime
{
    private const int Brokers = 3;

    private readonly TemporaryDirectory _directory = new();
    private BrokerCluster? _cluster;

    /// <summary>Where clients find each of them.</summary>
    public IReadOnlyList<string> Addresses => [.. _cluster!.Select(broker => broker.BootstrapServers)];

    public async ValueTask InitializeAsync()
    {
        var (store, environment) = TestAgainst.Store switch
        {
            TestStore.Ceph => Bucket(await servers.CephAsync()),
            TestStore.Minio => Bucket(await servers.MinioAsync()),
            _ => ($"file://{_directory.Sub("store")}", []),
        };
        _cluster = await BrokerCluster.StartAsync(
            _directory, Brokers, environment, _ => ["--store", store, "--wal", "object", "--set", "group.initial.rebalance.delay.ms=0"]);
    }

    public async ValueTask DisposeAsync()
    {
        if (_cluster is not null)
        {
            await _cluster.DisposeAsync();
        }

        _directory.Dispose();
    }

    private (string Store, IReadOnlyList<(string Name, string Value)> Environment) Bucket(S3Server server) =>
        (server.Uri(Path.GetFileName(_directory.Path)), server.Credentials);
}
