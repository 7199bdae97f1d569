using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>A half of a device, open: held against all others, or to be read alone.</summary>
/// <param name="device">The device.</param>
/// <param name="half">Its part.</param>
/// <param name="label">The device's.</param>
/// <param name="hold">Keeps others of this host away; null where it is only read.</param>
internal sealed class HeldHalf(BlockDevice device, BlockHalf half, BlockLabel label, IAsyncDisposable? hold) : IWalSpace
{
    public IWalDevice Device => half;

    public string Identity => $"{label.Id:N} {label.Identity}";

    public string Name => device.Path;

    public bool IsFence(Exception failure) => device.Fence.IsFence(failure);

    /// <summary>Nothing: the half is used again for the next WAL.</summary>
    public ValueTask GiveUpAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await half.DisposeAsync();
        if (hold is not null)
        {
            await hold.DisposeAsync();
        }
    }
}
