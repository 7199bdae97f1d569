using Millrace.Tests.ObjectStorage;
using Xunit;

[assembly: AssemblyFixture(typeof(S3Servers))]

namespace Millrace.Tests.ObjectStorage;

/// <summary>The real S3 servers of a test run: started by the first test that asks, stopped at the end.</summary>
public sealed class S3Servers : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-s3-");
    private readonly Lazy<Task<S3Server>> _ceph;
    private readonly Lazy<Task<S3Server>> _minio;

    public S3Servers()
    {
        _ceph = new(() => S3Server.StartAsync(CephScript!, CephFolder));
        _minio = new(() => S3Server.StartAsync(MinioScript!, MinioFolder));
    }

    private static string? CephScript => Repository.Shared("testbeds/ceph-s3.sh");

    private static string? MinioScript => Repository.Shared("testbeds/minio/minio.sh");

    private string CephFolder => Path.Combine(_folder.FullName, "ceph");

    private string MinioFolder => Path.Combine(_folder.FullName, "minio");

    public Task<S3Server> CephAsync()
    {
        Assert.SkipWhen(CephScript is null, "testbeds/ceph-s3.sh is not at hand");
        Assert.SkipUnless(File.Exists("/usr/bin/radosgw"), "Ceph is not installed: run ceph-s3.sh install");
        return _ceph.Value;
    }

    public Task<S3Server> MinioAsync()
    {
        Assert.SkipWhen(MinioScript is null, "testbeds/minio is not at hand");
        return _minio.Value;
    }

    public async ValueTask DisposeAsync()
    {
        if (_ceph.IsValueCreated)
        {
            await S3Server.RunAsync(CephScript!, "destroy", CephFolder);
        }

        if (_minio.IsValueCreated)
        {
            await S3Server.RunAsync(MinioScript!, "stop", MinioFolder);
        }

        _folder.Delete(recursive: true);
    }
}
