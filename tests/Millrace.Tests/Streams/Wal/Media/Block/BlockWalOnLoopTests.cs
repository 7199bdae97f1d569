namespace Millrace.Tests.Streams.Wal.Media.Block;

public abstract class BlockWalOnLoopTests(int sector) : BlockWalTests
{
    private LoopDevice? _loop;

    private protected override string Device => _loop!.Path;

    public override async ValueTask InitializeAsync()
    {
        _loop = LoopDevice.Over(Path.Combine(Machine.Folder, "backing"), Capacity, sector);
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        _loop?.Dispose();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
