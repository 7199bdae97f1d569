namespace Millrace.Tests.Clients;

/// <summary>Where the bucket of a cluster is.</summary>
internal enum TestStore
{
    Directory,
    Ceph,
    Minio,
}
