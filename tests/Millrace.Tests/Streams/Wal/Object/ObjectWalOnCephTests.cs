using Millrace.ObjectStorage;
using Millrace.Tests.ObjectStorage.S3;

namespace Millrace.Tests.Streams.Wal.Object;

public sealed class ObjectWalOnCephTests(S3Servers servers) : ObjectWalTests
{
    private protected override async ValueTask<IObjectStorage> OpenAsync() => (await servers.CephAsync()).Open(Machine.Runtime);
}
