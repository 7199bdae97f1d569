using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Millrace.Network.Requests;
using Millrace.Protocol;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;

namespace Millrace.Network.Serving;

/// <summary>
/// Cuts a connection's bytes into frames: a size (int32, big-endian), then so many bytes. Each goes into one contiguous buffer
/// as it arrives, so that the pipe never has to hold a whole one.
/// </summary>
/// <remarks>
/// A peer that announces much and sends little gets little: memory is taken when bytes are there, at first no
/// more than <see cref="FirstReservation"/>, later four times what arrived.
/// Threading: one caller; the progress properties may be read from any thread.
/// </remarks>
internal sealed class FrameReader(NodeRuntime runtime, PipeReader input, BufferPool pool, RequestBudgets budgets, int maxFrameBytes)
{
    /// <summary>A produce request of Kafka's default size, 1 MiB of records and what surrounds them, needs no growth.</summary>
    public const int FirstReservation = (1 << 20) + (64 << 10);

    /// <summary>API key, version and correlation id.</summary>
    private const int SmallestFrame = 8;

    private long _startedAt;
    private long _waitsSince;
    private long _arrived;

    /// <summary>When the first byte of an unfinished frame came (a timestamp of the runtime's time), or 0 if none is unfinished.</summary>
    public long StartedAt => Volatile.Read(ref _startedAt);

    /// <summary>Bytes of the unfinished frame that have arrived.</summary>
    public long Arrived => Volatile.Read(ref _arrived);

    /// <summary>How long the peer has taken for the unfinished frame; time that it waited for room here does not count.</summary>
    public TimeSpan AgeAt(long now)
    {
        var waitsSince = Volatile.Read(ref _waitsSince);
        return StartedAt is var startedAt and not 0 ? runtime.Time.GetElapsedTime(startedAt, waitsSince != 0 ? waitsSince : now) : TimeSpan.Zero;
    }

    /// <summary>The next frame, which the caller releases; null when the peer has closed its side.</summary>
    /// <exception cref="UnservableRequestException">The size is out of bounds.</exception>
    /// <exception cref="IOException">The connection was lost, or the peer closed it within a frame.</exception>
    public async ValueTask<RequestFrame?> ReadAsync(CancellationToken token)
    {
        if (await ReadStartAsync(token) is not var (size, budget))
        {
            return null;
        }

        try
        {
            return await ReadBodyAsync(size, budget, token);
        }
        finally
        {
            Volatile.Write(ref _startedAt, 0);
        }
    }

    /// <summary>Reads the size and looks at the API key behind it, which says what the frame is counted among.</summary>
    private async ValueTask<(int Size, RequestBudget Budget)?> ReadStartAsync(CancellationToken token)
    {
        while (true)
        {
            var read = await input.ReadAsync(token);
            var bytes = read.Buffer;
            if (bytes.Length > 0 && StartedAt == 0)
            {
                Start();
            }

            if (bytes.Length >= sizeof(int))
            {
                var size = SizeOf(bytes);
                if (size < SmallestFrame || size > maxFrameBytes)
                {
                    throw new UnservableRequestException(
                        ForeignProtocol.Of(bytes) ?? $"A frame of {size} bytes was announced; {SmallestFrame} to {maxFrameBytes} are allowed");
                }

                if (bytes.Length >= sizeof(int) + sizeof(short))
                {
                    var budget = budgets.For(ApiOf(bytes));
                    input.AdvanceTo(bytes.GetPosition(sizeof(int)));
                    return (size, budget);
                }
            }

            input.AdvanceTo(bytes.Start, bytes.End);
            if (read.IsCompleted)
            {
                return bytes.IsEmpty ? null : throw new EndOfStreamException("The connection ended within the start of a frame");
            }
        }
    }

    private async ValueTask<RequestFrame> ReadBodyAsync(int size, RequestBudget budget, CancellationToken token)
    {
        PooledBuffer? buffer = null;
        BudgetLease lease = default;
        var filled = 0;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(token);
                var bytes = read.Buffer;
                while (!bytes.IsEmpty && filled < size)
                {
                    if (buffer is null || filled == buffer.Length)
                    {
                        // The pipe keeps its hold on what was read while this waits for room; no more is read meanwhile.
                        (buffer, lease) = await GrowAsync(budget, buffer, lease, size, token);
                    }

                    var take = bytes.Slice(0, Math.Min(bytes.Length, buffer.Length - filled));
                    take.CopyTo(buffer.GetSpan()[filled..]);
                    filled += (int)take.Length;
                    bytes = bytes.Slice(take.End);
                }

                Volatile.Write(ref _arrived, filled);
                input.AdvanceTo(bytes.Start);
                if (filled == size)
                {
                    var frame = new RequestFrame(buffer!, budget, lease);
                    (buffer, lease) = (null, default);
                    return frame;
                }

                if (read.IsCompleted)
                {
                    throw new EndOfStreamException($"The connection ended after {filled} of a frame's {size} bytes");
                }
            }
        }
        finally
        {
            buffer?.Release();
            budget.Release(lease);
        }
    }

    private async ValueTask<(PooledBuffer, BudgetLease)> GrowAsync(
        RequestBudget budget, PooledBuffer? buffer, BudgetLease lease, int size, CancellationToken token)
    {
        var length = (int)Math.Min(size, buffer is null ? FirstReservation : 4L * buffer.Length);
        var more = BufferPool.CapacityFor(length) - lease.Bytes;
        var acquiring = buffer is null ? budget.AcquireAsync(more, token) : budget.GrowAsync(lease, more, token);
        var larger = acquiring.IsCompletedSuccessfully ? acquiring.Result : await WaitAsync(acquiring);
        PooledBuffer grown;
        try
        {
            grown = pool.Rent(length);
        }
        catch
        {
            // The caller knows of the former lease only.
            budget.Release(new BudgetLease(more, larger.Overdraft && !lease.Overdraft));
            throw;
        }

        if (buffer is not null)
        {
            buffer.GetSpan().CopyTo(grown.GetSpan());
            buffer.Release();
        }

        return (grown, larger);
    }

    private async ValueTask<BudgetLease> WaitAsync(ValueTask<BudgetLease> acquiring)
    {
        var since = runtime.Time.GetTimestamp();
        Volatile.Write(ref _waitsSince, since);
        try
        {
            return await acquiring;
        }
        finally
        {
            Volatile.Write(ref _startedAt, StartedAt + runtime.Time.GetTimestamp() - since);
            Volatile.Write(ref _waitsSince, 0);
        }
    }

    private void Start()
    {
        Volatile.Write(ref _arrived, 0);
        Volatile.Write(ref _startedAt, runtime.Time.GetTimestamp());
    }

    private static int SizeOf(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> size = stackalloc byte[sizeof(int)];
        bytes.Slice(0, sizeof(int)).CopyTo(size);
        return BinaryPrimitives.ReadInt32BigEndian(size);
    }

    private static ApiKey ApiOf(in ReadOnlySequence<byte> bytes)
    {
        Span<byte> key = stackalloc byte[sizeof(short)];
        bytes.Slice(sizeof(int), sizeof(short)).CopyTo(key);
        return (ApiKey)BinaryPrimitives.ReadInt16BigEndian(key);
    }
}
