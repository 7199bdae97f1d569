using Millrace.Runtime.Files;
using Millrace.Simulation.Disks;

namespace Millrace.Simulation.Scenarios.Wals;

/// <summary>
/// Files with a mistake in whatever uses them: a WAL whose flushes do nothing, so that it acknowledges before anything is durable; one
/// whose recovery neither flushes nor writes its seal before it serves; or something that forgets to sync the folders it changes.
/// </summary>
internal sealed class PlantedFileSystem(IFileSystem files, PlantedFault? fault, Func<bool> isRecovering) : FaultyDeviceFiles(files)
{
    /// <summary>The flush that the next acknowledgement relies on is left out.</summary>
    private bool SkipsFlush => fault == PlantedFault.AcknowledgeBeforeDurable || SkipsSeal;

    /// <summary>What recovery has to make durable before it serves is left out.</summary>
    private bool SkipsSeal => fault == PlantedFault.ServeBeforeSeal && isRecovering();

    public override ValueTask SyncDirectoryAsync(string path, CancellationToken token) =>
        fault == PlantedFault.ForgetFolderSync ? ValueTask.CompletedTask : base.SyncDirectoryAsync(path, token);

    protected override WalDeviceMode ModeOf(WalDeviceMode asked) => SkipsSeal ? WalDeviceMode.Buffered : asked;

    protected override ValueTask WriteAsync(IWalDevice device, long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token) =>
        SkipsSeal ? ValueTask.CompletedTask : base.WriteAsync(device, position, parts, token);

    protected override ValueTask FlushAsync(IWalDevice device, CancellationToken token) =>
        SkipsFlush ? ValueTask.CompletedTask : base.FlushAsync(device, token);
}
