using Millrace.Runtime.Files;

namespace Millrace.Streams.Wal.Media;

/// <summary>A WAL's file, open and locked.</summary>
internal sealed class HeldFile(IWalDevice device, IAsyncDisposable fileLock, string identity, string path, Func<ValueTask> giveUp) : IWalSpace
{
    public IWalDevice Device => device;

    public string Identity => identity;

    public string Name => path;

    /// <summary>Never: nobody gets the lock while its holder lives.</summary>
    public bool IsFence(Exception failure) => false;

    public ValueTask GiveUpAsync() => giveUp();

    public async ValueTask DisposeAsync()
    {
        await device.DisposeAsync();
        await fileLock.DisposeAsync();
    }
}
