namespace Millrace.Tests.ObjectStorage.S3;

public sealed class CephObjectStorageTests(S3Servers servers) : S3ObjectStorageTests
{
    private protected override Task<S3Server> ServerAsync() => servers.CephAsync();
}
