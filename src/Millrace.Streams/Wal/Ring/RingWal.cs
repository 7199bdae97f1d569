using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Streams.Wal.Media;

namespace Millrace.Streams.Wal.Ring;

/// <summary>
/// A WAL as a ring of blocks. One loop lays appends out in blocks: what is there goes when nothing is under way, and what comes meanwhile gathers for the next
/// one, which goes beside the first only if it is large.
/// </summary>
/// <remarks>
/// Threading: as <see cref="IWriteAheadLog"/>. Ownership: it owns the space that the ring lies in. Errors: a failed write or
/// flush ends it, since nobody can say afterwards what reached the medium.
/// </remarks>
internal sealed class RingWal : IWriteAheadLog
{
    // At most: the rest of the last sector counts.
    private const int BlockOverhead = WalBlockHeader.Size + RingFormat.Sector;

    /// <summary>
    /// From so much on a write takes long enough that the device had better be given the next meanwhile. Less does better to wait for more: each write and
    /// each flush costs the same, however much it carries.
    /// </summary>
    internal const int LargeGroup = 1 << 20;

    private readonly TimeProvider _time;
    private readonly BufferPool _pool;
    private readonly WalRing _ring;
    private readonly IWalSpace _space;
    private readonly int _groupBytes;
    private readonly int _copiedUpTo;
    private readonly WalAppendQueue _queue = new(0);
    private readonly AsyncGate _groupsInFlight = new(RingFormat.GroupsInFlight);
    private readonly AsyncGate _trimming = new(1);
    private readonly TaskCompletionSource<StreamException> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _writing;
    private readonly Lock _lock = new();

    // How long the newest group took from its write to its flush: ticks of TimeSpan.
    private long _wroteIn;

    // Under _lock, as all below.
    private readonly Queue<KeptBlock> _blocks = new();
    private RingHeader _header;
    private long _tail;
    private long _trimmed;
    private long _nextSequence;

    // What has its place: the position behind it, and its bytes as they are written. All below the other position will have one without any trimming.
    private (long End, long Bytes) _placed;
    private long _roomTo;
    private long _confirmed = -1;
    private TaskCompletionSource? _room;
    private StreamException? _ended;
    private bool _disposed;

    /// <param name="runtime">The node's surroundings.</param>
    /// <param name="pool">Lends the blocks.</param>
    /// <param name="descriptor">Its entry in the metadata.</param>
    /// <param name="ring">Has the given header in both slots, durably.</param>
    /// <param name="header">The newest header.</param>
    /// <param name="space">Where the ring lies, held.</param>
    /// <param name="options">What an operator tunes.</param>
    internal RingWal(
        NodeRuntime runtime,
        BufferPool pool,
        WalDescriptor descriptor,
        WalRing ring,
        RingHeader header,
        IWalSpace space,
        RingWalOptions options)
    {
        _time = runtime.Time;
        _pool = pool;
        Descriptor = descriptor;
        _ring = ring;
        _header = header;
        _space = space;

        // A quarter of the ring: then there is room for the next block while the oldest is given up.
        _groupBytes = (int)Math.Min(options.GroupBytes, ring.Size / 4);

        // Direct writes need memory that is aligned, which payloads are not.
        _copiedUpTo = ring.Mode == WalDeviceMode.Direct ? int.MaxValue : GatheredRecords.CopiedPayload;
        MaxRecordBytes = (int)Math.Min(RingFormat.MaxRecordBytes, ring.Size / 4);
        _writing = runtime.Spawn("wal-writer", _ => WriteAsync());
    }

    public WalDescriptor Descriptor { get; }

    public int MaxRecordBytes { get; }

    public Task<StreamException> Lost => _lost.Task;

    private long LargestBlock => Math.Max(_groupBytes, WalRecordFormat.HeaderSize + MaxRecordBytes) + BlockOverhead;

    public double Fullness
    {
        get
        {
            lock (_lock)
            {
                // What waits may need more than what is left.
                return _room is not null ? 1 : (double)(_tail - _trimmed) / _ring.Size;
            }
        }
    }

    public ValueTask AppendAsync(in StreamRecord record, out long position)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Payload.Length, MaxRecordBytes);
        return _queue.Append(record, out position);
    }

    public bool HasPlaceFor(long position)
    {
        var appended = _queue.Appended;
        lock (_lock)
        {
            // Each may get a block of its own, and the last one share its block with what comes yet.
            var room = appended.Bytes - _placed.Bytes + (appended.End - _placed.End) * BlockOverhead + LargestBlock;
            if (_tail - _trimmed + room <= _ring.Size)
            {
                _roomTo = Math.Max(_roomTo, appended.End);
            }

            return position < Math.Max(_placed.End, _roomTo);
        }
    }

    public async ValueTask TrimAsync(long position, CancellationToken token)
    {
        await _trimming.EnterAsync(token);
        try
        {
            if (TakeTrimmable(position) is { } header)
            {
                // The space is used again only after this is durable, in both slots: recovery must never begin in what a later lap wrote, though
                // it find but one of them.
                Free(await _ring.WriteHeadersAsync(header));
            }
        }
        catch (Exception failure)
        {
            throw Lose(failure);
        }
        finally
        {
            _trimming.Exit();
        }
    }

    public async ValueTask RetireAsync(CancellationToken token)
    {
        await DisposeAsync();
        await _space.GiveUpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
        }

        End(new StreamException(StreamError.Closed, $"The WAL {Descriptor.Location} is closed"));
        await _writing;
        await _trimming.EnterAsync(CancellationToken.None);
        await _space.DisposeAsync();
    }

    // It ends with the queue and not with the node's Stopping: appends that a stopping node still makes must settle.
    private async Task WriteAsync()
    {
        var previous = Task.FromResult(true);
        while (true)
        {
            await _queue.WaitAsync();
            if (!previous.IsCompleted)
            {
                await Waiting.Either(_queue.WaitAsync(LargeGroup), previous);
            }

            await GatherAsync();
            if (!_queue.Take(_groupBytes, out var appends))
            {
                break;
            }

            if (appends.Count == 0)
            {
                continue;
            }

            var block = new GatheredRecords();
            WalBlockHeader header = default;
            try
            {
                block.Build(_pool, appends, WalBlockHeader.Size, RingFormat.Sector, _copiedUpTo);
                await _groupsInFlight.EnterAsync(CancellationToken.None);
            }
            catch (Exception failure)
            {
                // The group fails with the WAL, as what was written would, and not without a word.
                Lose(failure);
                block.Release();
                await previous;
                appends.Settle(Ended);
                continue;
            }

            try
            {
                if (Ended is null)
                {
                    // Only now: it says what is known to be durable.
                    header = NextHeader(appends, block);
                    header.Write(block.Head);
                    await TakePlaceAsync(header);
                }
            }
            catch (Exception failure)
            {
                Lose(failure);
            }

            previous = WriteGroupAsync(header, block, appends, previous);
        }

        await previous;
    }

    /// <summary>
    /// Lets others run for as long as that brings more appends, up to a large group, and up to half of the time that a group takes: whoever has just heard that
    /// an append is durable is about to make the next. Without it the first of them would go alone, and the others a flush later.
    /// </summary>
    private async ValueTask GatherAsync()
    {
        var (began, most) = (_time.GetTimestamp(), TimeSpan.FromTicks(Volatile.Read(ref _wroteIn) / 2));
        var appended = _queue.Appended;
        var before = appended.End - 1;
        while (appended.End > before && appended.Bytes - _placed.Bytes < LargeGroup && _time.GetElapsedTime(began) <= most)
        {
            before = appended.End;
            await Task.Yield();
            appended = _queue.Appended;
        }
    }

    /// <returns>Whether this group and all before it are durable.</returns>
    private async Task<bool> WriteGroupAsync(WalBlockHeader header, GatheredRecords block, WalAppendQueue.Group appends, Task<bool> previous)
    {
        var isDurable = false;
        try
        {
            if (Ended is null)
            {
                var began = _time.GetTimestamp();
                await _ring.WriteThroughAsync(header.RingPosition, block.Parts);
                Volatile.Write(ref _wroteIn, _time.GetElapsedTime(began).Ticks);
                isDurable = true;
            }
        }
        catch (Exception failure)
        {
            // Whatever it is: a group that ended here without a word would keep every later one waiting.
            Lose(failure);
        }
        finally
        {
            block.Release();
        }

        isDurable &= await previous;
        if (isDurable)
        {
            Confirm(header.Sequence);
        }

        if (appends.Settle(isDurable ? null : Ended) is { } trouble)
        {
            Lose(trouble);
        }

        _groupsInFlight.Exit();
        return isDurable;
    }

    private WalBlockHeader NextHeader(WalAppendQueue.Group appends, GatheredRecords block)
    {
        lock (_lock)
        {
            return new(
                block.Checksum, Descriptor.Id, Descriptor.Epoch, _nextSequence, _confirmed, _tail, appends.First!.Position, appends.Count, block.BodyLength);
        }
    }

    /// <summary>Waits for room in the ring, and takes it. Returns without where the WAL has ended.</summary>
    private async ValueTask TakePlaceAsync(WalBlockHeader block)
    {
        while (true)
        {
            Task room;
            lock (_lock)
            {
                if (_ended is not null)
                {
                    return;
                }

                if (_tail + block.BlockLength - _trimmed <= _ring.Size)
                {
                    // First what may fail.
                    _blocks.Enqueue(new(block.Sequence, block.FirstAppend + block.Count, _tail + block.BlockLength));
                    _tail += block.BlockLength;
                    _nextSequence++;
                    _placed = (block.FirstAppend + block.Count, _placed.Bytes + block.BodyLength);
                    return;
                }

                room = (_room ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }

            await room;
        }
    }

    private void Confirm(long sequence)
    {
        lock (_lock)
        {
            _confirmed = sequence;
        }
    }

    /// <summary>The header that gives up every whole block below a position, or null if there is none.</summary>
    private RingHeader? TakeTrimmable(long position)
    {
        lock (_lock)
        {
            KeptBlock? last = null;
            while (_ended is null && _blocks.TryPeek(out var block) && block.EndAppend <= position && block.Sequence <= _confirmed)
            {
                last = _blocks.Dequeue();
            }

            return last is not { } trimmed ? null : _header with
            {
                SlotSequence = _header.SlotSequence + 1,
                TrimRingPosition = trimmed.EndRingPosition,
                TrimSequence = trimmed.Sequence + 1,
                TrimAppend = position,
                Confirmed = _confirmed,
            };
        }
    }

    private void Free(RingHeader header)
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            (_header, _trimmed) = (header, header.TrimRingPosition);
            (room, _room) = (_room, null);
        }

        room?.SetResult();
    }

    private StreamException? Ended
    {
        get
        {
            lock (_lock)
            {
                return _ended;
            }
        }
    }

    private StreamException Lose(Exception failure)
    {
        var reason = _space.IsFence(failure) || (failure.InnerException is { } inner && _space.IsFence(inner))
            ? new StreamException(StreamError.Fenced, $"The WAL {Descriptor.Location} has been taken over: {failure.Message}", failure)
            : new StreamException(StreamError.WalFailed, $"The WAL {Descriptor.Location} failed: {failure.Message}", failure);
        End(reason);
        _lost.TrySetResult(reason);
        return reason;
    }

    private void End(StreamException reason)
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _ended ??= reason;
            (room, _room) = (_room, null);
        }

        _queue.End(reason);
        room?.SetResult();
    }

    /// <summary>A block that is still needed.</summary>
    private readonly record struct KeptBlock(long Sequence, long EndAppend, long EndRingPosition);
}
