using Millrace.Runtime.Files;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;

namespace Millrace.Tests.Streams.Wal.Ring;

/// <summary>
/// A device that several hosts reach, for one WAL at a time: whoever fences it has every earlier holder's writes refused from then on, as
/// persistent reservations do.
/// </summary>
internal sealed class SharedDevice(int capacity) : IWalMedium
{
    private readonly Lock _lock = new();
    private readonly byte[] _bytes = new byte[capacity];
    private Guid? _wal;
    private int _holder;

    public WalKind Kind => WalKind.File;

    public string Locate(Guid wal, IReadOnlyCollection<WalDescriptor> waiting) => $"/dev/shared/{wal:N}";

    public ValueTask<IWalSpace> MakeAsync(WalDescriptor wal, CancellationToken token)
    {
        lock (_lock)
        {
            (_wal, _holder) = (wal.Id, _holder + 1);
            return new(new Held(this, _holder, wal.Id));
        }
    }

    public ValueTask<IWalSpace> FenceAsync(WalDescriptor wal, CancellationToken token)
    {
        lock (_lock)
        {
            return _wal == wal.Id
                ? new(new Held(this, ++_holder, wal.Id))
                : throw new WalUnavailableException(wal, $"The WAL {wal.Location} is missing.");
        }
    }

    /// <summary>For reading alone.</summary>
    public IWalSpace Read(Guid wal) => new Held(this, holder: 0, wal);

    public ValueTask<bool> DiscardAsync(WalDescriptor wal, CancellationToken token)
    {
        GiveUp(wal.Id);
        return new(true);
    }

    public bool SharesRoomWith(WalDescriptor retired) => retired.Location == Locate(retired.Id, []);

    public ValueTask RemoveUnfinishedAsync(CancellationToken token) => default;

    public ValueTask<IReadOnlyList<string>> FindOthersAsync(IReadOnlySet<Guid> known, CancellationToken token)
    {
        lock (_lock)
        {
            return new(_wal is { } wal && !known.Contains(wal) ? [Locate(wal, [])] : []);
        }
    }

    private void GiveUp(Guid wal)
    {
        lock (_lock)
        {
            _wal = _wal == wal ? null : _wal;
        }
    }

    private sealed class Held(SharedDevice shared, int holder, Guid wal) : IWalSpace, IWalDevice
    {
        private const int BadExchange = 52;

        public IWalDevice Device => this;

        public string Identity => "shared";

        public string Name => "The shared device";

        public long Capacity => shared._bytes.Length;

        public int SectorSize => 4096;

        public WalDeviceMode Mode => WalDeviceMode.Direct;

        public bool IsFence(Exception failure) => failure is IOException { HResult: BadExchange };

        public ValueTask WriteAsync(long position, IReadOnlyList<ReadOnlyMemory<byte>> parts, CancellationToken token)
        {
            lock (shared._lock)
            {
                if (shared._holder != holder)
                {
                    throw new IOException("reserved by another", BadExchange);
                }

                var to = shared._bytes.AsSpan((int)position);
                foreach (var part in parts)
                {
                    part.Span.CopyTo(to);
                    to = to[part.Length..];
                }
            }

            return default;
        }

        public ValueTask ReadAsync(long position, Memory<byte> buffer, CancellationToken token)
        {
            lock (shared._lock)
            {
                shared._bytes.AsSpan((int)position, buffer.Length).CopyTo(buffer.Span);
            }

            return default;
        }

        public ValueTask FlushAsync(CancellationToken token) => default;

        public ValueTask GiveUpAsync()
        {
            shared.GiveUp(wal);
            return default;
        }

        public ValueTask DisposeAsync() => default;
    }
}
