using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Media.Block;

namespace Millrace.Benchmarks.Wal;

/// <summary>Something that a WAL can lie on, and its like beside it for raw writes.</summary>
internal sealed class WalPlace : IDisposable
{
    private const long Capacity = 1L << 30;

    private readonly List<IDisposable> _held = [];
    private readonly Func<NodeRuntime, BufferPool, Task<IWalMedium>> _medium;
    private readonly string _raw;

    private WalPlace(string name, string raw, Func<NodeRuntime, BufferPool, Task<IWalMedium>> medium) => (Name, _raw, _medium) = (name, raw, medium);

    public string Name { get; }

    public static WalPlace Open(string folder, WalPlaceKind kind) => kind switch
    {
        WalPlaceKind.BufferedFile => File(folder, WalDeviceMode.Buffered),
        WalPlaceKind.DirectFile => File(folder, WalDeviceMode.Direct),
        WalPlaceKind.Loop512 => Loop(folder, 512),
        WalPlaceKind.Loop4096 => Loop(folder, 4096),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static WalPlace File(string folder, WalDeviceMode mode)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, mode.ToString()));
        var raw = Path.Combine(own.FullName, "raw");
        WriteZeros(raw);
        return new($"file, {mode}", raw, (runtime, _) =>
            Task.FromResult<IWalMedium>(new WalFolder(runtime, Path.Combine(own.FullName, "wal"), new() { Mode = mode, Capacity = Capacity })));
    }

    private static WalPlace Loop(string folder, int sector)
    {
        var device = LoopDevice.Over(Path.Combine(folder, $"device{sector}"), Capacity, sector);
        var raw = LoopDevice.Over(Path.Combine(folder, $"raw{sector}"), Capacity, sector);
        return new($"loop, {sector}", raw.Path, async (runtime, pool) =>
        {
            var devices = new BlockDevices(runtime, pool, new BlockDeviceOptions(device.Path) { Fence = DeviceFenceKind.Host }, [])
            {
                Owner = new BlockOwner("bench", new NodeIncarnation(new(1), new(1))),
            };
            await devices.FindAsync(CancellationToken.None);
            return new BlockMedium(devices);
        })
        {
            _held = { device, raw },
        };
    }

    public Task<WalUnderTest> OpenAsync(TimeSpan flushDelay) => WalUnderTest.OpenAsync(async (runtime, pool) =>
        flushDelay > TimeSpan.Zero ? new SlowFlushes(await _medium(runtime, pool), flushDelay) : await _medium(runtime, pool));

    /// <summary>By threads, and by an <c>io_uring</c> where flushes take no longer than they do.</summary>
    public IReadOnlyList<(string Name, IRawDevice Device)> OpenRaw(TimeSpan flushDelay) => flushDelay > TimeSpan.Zero
        ? [("threads", new WriteThreads(_raw, Capacity, flushDelay))]
        : [("threads", new WriteThreads(_raw, Capacity, flushDelay)), ("io_uring", new WriteRing(_raw, Capacity))];

    public void Dispose() => _held.ForEach(device => device.Dispose());

    private static void WriteZeros(string path)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, LinuxFile.Sector);
        var zeros = new byte[1 << 20];
        for (var written = 0L; written < Capacity; written += zeros.Length)
        {
            file.Write(zeros);
        }

        file.Flush(flushToDisk: true);
    }
}
