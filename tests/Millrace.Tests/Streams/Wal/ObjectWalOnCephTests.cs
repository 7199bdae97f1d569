using Millrace.ObjectStorage;
using Millrace.Tests.ObjectStorage;

namespace Millrace.Tests.Streams.Wal;

public sealed class ObjectWalOnCephTests(S3Servers servers) : ObjectWalTests
{
    private protected override async ValueTask<IObjectStorage> OpenAsync() => (await servers.CephAsync()).Open(Machine.Runtime);
}
