using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;

namespace Millrace.Tests.ObjectStorage.Memory;

public sealed class MemoryObjectStorageTests : ObjectStorageContract
{
    private protected override ValueTask<IObjectStorage> OpenAsync() => ValueTask.FromResult<IObjectStorage>(new MemoryObjectStorage());
}
