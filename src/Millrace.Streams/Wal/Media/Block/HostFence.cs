using System.Text;
using Millrace.Runtime;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Registry;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>Fences by a lock of the host's kernel: whoever gets it knows that its former holder is dead. Processes of other hosts are not kept away.</summary>
internal sealed class HostFence(NodeRuntime runtime) : IDeviceFence
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";

    private const string Scheme = "host/";

    // Survivors take the lock one after another, each for as long as sealing takes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public async ValueTask<string> NameAsync(string path, FileStatus status, CancellationToken token)
    {
        var bytes = new byte[64];
        var length = await runtime.Files.ReadAsync(BootId, 0, bytes, token);
        var boot = length > 0 ? Encoding.ASCII.GetString(bytes, 0, length).Trim() : "";
        return $"{Scheme}{boot}/{status.Identity.Replace('/', '_')}{path}";
    }

    public async ValueTask<IAsyncDisposable> TakeAsync(BlockDevice device, ulong key, ulong? writer, CancellationToken token)
    {
        var began = runtime.Time.GetTimestamp();
        while (true)
        {
            if (await runtime.Files.TryLockAsync(device.Path, token) is { } held)
            {
                return held;
            }

            if (runtime.Time.GetElapsedTime(began) > Patience)
            {
                throw new IOException($"{device.Path} is held by a living process of this host: stop that first", LinuxError.WouldBlock);
            }

            await Task.Delay(Pause, runtime.Time, token);
        }
    }

    /// <summary>Never one: whoever seals a WAL has the lock, which is waited for.</summary>
    public ValueTask<NodeIncarnation?> FindTakerAsync(BlockDevice device, ulong key, ulong writer, CancellationToken token) => new((NodeIncarnation?)null);

    /// <summary>Never: nobody gets the lock while its holder lives.</summary>
    public bool IsFence(Exception failure) => false;

    /// <summary>Whether a name is of that path on this host or, since it was started anew, on what this host was before.</summary>
    internal static bool IsOf(string reach, string path) =>
        reach.StartsWith(Scheme, StringComparison.Ordinal)
        && reach.IndexOf('/', Scheme.Length) is var boot and >= 0
        && reach.IndexOf('/', boot + 1) is var identity and >= 0
        && reach.AsSpan(identity).SequenceEqual(path);
}
