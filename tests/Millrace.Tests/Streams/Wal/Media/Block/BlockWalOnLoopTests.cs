using Millrace.Tests.Clients;
using Xunit;

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

    [Fact]
    public async Task A_living_holder_keeps_the_device_from_those_that_have_another_file_of_it()
    {
        await using var wal = await CreateAsync();
        var other = Path.Combine(Machine.Folder, "other-file");
        Assert.Equal(0, (await Tool.TryRunAsync("cp", ["--archive", Device, other])).ExitCode);
        Assert.Null(await Machine.Runtime.Files.TryLockAsync(other, Token));
    }

    public override async ValueTask DisposeAsync()
    {
        _loop?.Dispose();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
