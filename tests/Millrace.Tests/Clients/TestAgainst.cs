using Xunit;

namespace Millrace.Tests.Clients;

/// <summary>
/// What the tests of real clients run against, as MILLRACE_TEST_AGAINST says: kafka, Apache Kafka itself; cluster, cluster-ceph or cluster-minio, three
/// brokers of ours on a directory or a bucket; and one broker of ours where it says nothing.
/// </summary>
internal static class TestAgainst
{
    private static readonly string Wanted = Environment.GetEnvironmentVariable("MILLRACE_TEST_AGAINST") ?? "";

    public static bool IsKafka => Wanted == "kafka";

    public static bool IsCluster => Store is not null;

    /// <summary>Where the cluster's bucket is; null where it is not about a cluster.</summary>
    public static TestStore? Store { get; } = Wanted switch
    {
        "" or "kafka" => null,
        "cluster" => TestStore.Directory,
        "cluster-ceph" => TestStore.Ceph,
        "cluster-minio" => TestStore.Minio,
        _ => throw new InvalidOperationException($"MILLRACE_TEST_AGAINST is kafka, cluster, cluster-ceph or cluster-minio, and not '{Wanted}'"),
    };

    /// <summary>For what is true of a cluster of one alone.</summary>
    public static void SkipOnCluster(string reason) => Assert.SkipWhen(IsCluster, $"Not on a cluster of several: {reason}");
}
