using Millrace.ObjectStorage;

namespace Millrace.Tests.ObjectStorage;

public sealed class MemoryObjectStorageTests : ObjectStorageContract
{
    private protected override ValueTask<IObjectStorage> OpenAsync() => ValueTask.FromResult<IObjectStorage>(new MemoryObjectStorage());
}
