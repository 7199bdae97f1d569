namespace Millrace.Tests.Streams.Wal.Media.Block;

public sealed class BlockWalInFileTests : BlockWalTests
{
    private protected override string Device => Path.Combine(Machine.Folder, "device");
}
