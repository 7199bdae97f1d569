using Millrace.ObjectStorage;

namespace Millrace.Tests.Streams.Wal;

public sealed class ObjectWalInMemoryTests : ObjectWalTests
{
    private protected override ValueTask<IObjectStorage> OpenAsync() => ValueTask.FromResult<IObjectStorage>(new MemoryObjectStorage());
}
