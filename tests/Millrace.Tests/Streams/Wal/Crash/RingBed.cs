using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Ring;
using Xunit;
using static Millrace.Tests.Streams.Wal.WalRecords;

namespace Millrace.Tests.Streams.Wal.Crash;

/// <summary>A medium that rings lie on, whose calls and bytes a test can get at. Whoever makes a WAL or takes one over is a process of its own.</summary>
internal abstract class RingBed : IAsyncDisposable
{
    /// <summary>What a block of one record takes beside the record's payload.</summary>
    public const int BlockHead = WalBlockHeader.Size + WalRecordFormat.HeaderSize;

    public static readonly NodeId Node = new(7);
    public static readonly NodeEpoch Epoch = new(3);

    private readonly RealNode _machine = new();

    protected RingBed() => Runtime = new(new ImpatientTime(), TaskScheduler.Default, new SystemRandom(), Files, NullLoggerFactory.Instance);

    public HookedFiles Files { get; } = new(new LinuxFileSystem(TaskScheduler.Default));

    /// <summary>Bytes that reach the medium together or not at all.</summary>
    public virtual int Sector => 512;

    /// <summary>Of many places that are looked at one by one every so many-eth does, where looking takes its time.</summary>
    public virtual int Stride => 1;

    /// <summary>Bytes that a ring has.</summary>
    public abstract long RingSize { get; }

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected NodeRuntime Runtime { get; }

    protected BufferPool Pool { get; } = new(64 << 20);

    protected string Folder => _machine.Folder;

    public static RingBed On(RingMedium medium) => medium switch
    {
        RingMedium.BufferedFile => new FileBed(WalDeviceMode.Buffered),
        RingMedium.DirectFile => new FileBed(WalDeviceMode.Direct),
        _ => BlockBed.On(medium),
    };

    public abstract ValueTask<IWalProvider> ProviderAsync();

    public async Task<IWriteAheadLog> CreateAsync()
    {
        var provider = await ProviderAsync();
        return await provider.CreateAsync(provider.Describe(Node, Epoch, []), Token);
    }

    /// <summary>A WAL with a number of blocks of one record each, and nobody who holds it.</summary>
    public async Task<WalDescriptor> StoppedAsync(int records)
    {
        await using var wal = await CreateAsync();
        foreach (var record in Records(records))
        {
            await wal.AppendAsync(record, out _);
        }

        return wal.Descriptor;
    }

    public async Task<ISealedWal> TakeOverAsync(WalDescriptor wal) => await (await ProviderAsync()).TakeOverAsync(wal, Token);

    public async Task<List<StreamRecord>> RecoverAsync(WalDescriptor wal)
    {
        await using var recovery = await TakeOverAsync(wal);
        return await ReadAllAsync(recovery);
    }

    /// <summary>What a recovery finds, or is refused with. The headers are as they were before, as if it had not been.</summary>
    public async Task<(List<StreamRecord> Found, WalUnavailableException? Refused)> RehearseAsync(WalDescriptor wal)
    {
        var headers = Read(wal, 0, (int)RingFormat.RingStart);
        try
        {
            return (await RecoverAsync(wal), null);
        }
        catch (WalUnavailableException refused)
        {
            return ([], refused);
        }
        finally
        {
            Write(wal, 0, headers);
        }
    }

    /// <summary>Fails unless a recovery brings just these back. The headers stay as they were.</summary>
    public async Task AssertBringsBackAsync(WalDescriptor wal, IEnumerable<StreamRecord> expected)
    {
        var (found, refused) = await RehearseAsync(wal);
        Assert.Null(refused);
        AssertSame(expected, found);
    }

    public async Task<WalUnavailableException> RefusalAsync(WalDescriptor wal) =>
        await Assert.ThrowsAsync<WalUnavailableException>(async () => await RecoverAsync(wal));

    /// <summary>Bytes of a WAL's space, past whoever holds it.</summary>
    public byte[] Read(WalDescriptor wal, long position, int length) => ReadFile(PathOf(wal), StartOf(wal) + position, length);

    public void Write(WalDescriptor wal, long position, ReadOnlySpan<byte> bytes) => WriteFile(PathOf(wal), StartOf(wal) + position, bytes);

    public byte[] ReadRing(WalDescriptor wal, long position, int length)
    {
        var place = position % RingSize;
        var first = (int)Math.Min(length, RingSize - place);
        return [.. Read(wal, RingFormat.RingStart + place, first), .. Read(wal, RingFormat.RingStart, length - first)];
    }

    public void WriteRing(WalDescriptor wal, long position, ReadOnlySpan<byte> bytes)
    {
        var place = position % RingSize;
        var first = (int)Math.Min(bytes.Length, RingSize - place);
        Write(wal, RingFormat.RingStart + place, bytes[..first]);
        Write(wal, RingFormat.RingStart, bytes[first..]);
    }

    /// <summary>Turns a bit of a WAL's space over; which one of the byte follows from the place.</summary>
    public void Flip(WalDescriptor wal, long position) =>
        Write(wal, position, [(byte)(Read(wal, position, 1)[0] ^ (1 << (int)(position % 8)))]);

    public void FlipInRing(WalDescriptor wal, long position) => Flip(wal, RingFormat.RingStart + position % RingSize);

    public RingHeader Header(WalDescriptor wal) => RingHeader.Newest(Read(wal, 0, (int)RingFormat.RingStart), wal.Id)!;

    /// <summary>A block of a WAL, as it was written.</summary>
    public WalBlockHeader Block(WalDescriptor wal, long sequence)
    {
        var header = Header(wal);
        var position = header.TrimRingPosition;
        for (var at = header.TrimSequence; ; at++)
        {
            Assert.True(WalBlockHeader.TryRead(ReadRing(wal, position, WalBlockHeader.Size), out var block), $"no block {at}");
            if (at == sequence)
            {
                return block;
            }

            position += block.BlockLength;
        }
    }

    public virtual ValueTask DisposeAsync()
    {
        Runtime.Dispose();
        Pool.Dispose();
        _machine.Dispose();
        return ValueTask.CompletedTask;
    }

    // .NET's own files are locked, and so kept from whoever holds them.
    protected static byte[] ReadFile(string path, long position, int length)
    {
        var bytes = new byte[length];
        using var file = LinuxFile.Open(path, LinuxFile.ReadOnly);
        for (var done = 0; done < length;)
        {
            done += RandomAccess.Read(file, bytes.AsSpan(done), position + done) is > 0 and var read ? read : throw new EndOfStreamException();
        }

        return bytes;
    }

    protected static void WriteFile(string path, long position, ReadOnlySpan<byte> bytes)
    {
        using var file = LinuxFile.Open(path, LinuxFile.ReadWrite);
        RandomAccess.Write(file, bytes, position);
    }

    protected abstract string PathOf(WalDescriptor wal);

    /// <summary>Where a WAL's space begins.</summary>
    protected abstract long StartOf(WalDescriptor wal);
}
