using Millrace.ObjectStorage;
using Millrace.ObjectStorage.File;

namespace Millrace.Tests.Streams.Wal.Object;

public sealed class ObjectWalInFolderTests : ObjectWalTests
{
    private protected override async ValueTask<IObjectStorage> OpenAsync() => await FileObjectStorage.OpenAsync(Machine.Runtime, Machine.Folder, Token);
}
