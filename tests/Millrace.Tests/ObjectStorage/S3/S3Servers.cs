using Xunit;

[assembly: AssemblyFixture(typeof(Millrace.Tests.ObjectStorage.S3.S3Servers))]

namespace Millrace.Tests.ObjectStorage.S3;

/// <summary>The real S3 servers of a test run: started by the first test that asks, stopped at the end.</summary>
public sealed class S3Servers : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-s3-");
    private readonly Lazy<Task<S3Server>> _ceph;
    private readonly Lazy<Task<S3Server>> _minio;

    public S3Servers()
    {
        _ceph = new(() => S3Server.StartAsync(CephScript!, Path.Combine(_folder.FullName, "ceph"), "destroy"));
        _minio = new(() => S3Server.StartAsync(MinioScript!, Path.Combine(_folder.FullName, "minio"), "stop"));
    }

    private static string? CephScript => Repository.Shared("testbeds/ceph-s3.sh");

    private static string? MinioScript => Repository.Shared("testbeds/minio/minio.sh");

    public Task<S3Server> CephAsync()
    {
        Assert.SkipWhen(CephScript is null, "testbeds/ceph-s3.sh is not at hand");
        Assert.SkipUnless(System.IO.File.Exists("/usr/bin/radosgw"), "Ceph is not installed: run ceph-s3.sh install");
        return _ceph.Value;
    }

    public Task<S3Server> MinioAsync()
    {
        Assert.SkipWhen(MinioScript is null, "testbeds/minio is not at hand");
        return _minio.Value;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in (Lazy<Task<S3Server>>[])[_ceph, _minio])
        {
            // One that did not start has failed its tests already.
            if (server is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
            {
                await (await server.Value).StopAsync();
            }
        }

        _folder.Delete(recursive: true);
    }
}
