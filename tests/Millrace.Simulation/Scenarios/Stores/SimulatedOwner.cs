using System.Buffers.Binary;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Simulation.Kernel;
using Millrace.Streams;
using Millrace.Streams.Store;

namespace Millrace.Simulation.Scenarios.Stores;

/// <summary>Owns a stream on one incarnation: appends to it, reads it and trims it, and tells the oracle.</summary>
internal sealed class SimulatedOwner(StoreWorld world, NodeRuntime runtime, StreamStore store, NodeEpoch self, StreamOracle oracle, BufferPool buffers)
    : IStreamOwner
{
    private readonly SeededRandom _random = new(world.Kernel.Random.NextUInt64());
    private IStream? _stream;
    private long _confirmed;

    /// <summary>Opens the stream at the next epoch, and reads what it holds.</summary>
    public async Task OpenAsync(bool isAudit)
    {
        var epoch = new StreamEpoch(++oracle.LastEpoch);
        _stream = await store.OpenAsync(oracle.Id, epoch, this, CancellationToken.None);
        oracle.Opened(_stream);
        _confirmed = _stream.ConfirmOffset;
        // What has changed hands is at the end. All of it now and then: the auditor reads everything again.
        await ReadAsync(isAudit || _random.Chance(0.2) ? _stream.StartOffset : Math.Max(_stream.StartOffset, _stream.NextOffset - 100));
    }

    public async Task LiveAsync(Func<bool> isOver)
    {
        var appends = Task.CompletedTask;
        while (!isOver())
        {
            switch (_random.Next(100))
            {
                case < 80:
                    appends = AppendAsync(await Stream.AdmitAsync(Stream.NextOffset % 2 == 0 ? 4096 : 100, CancellationToken.None), appends);
                    break;
                case < 90:
                    await TryReadAsync(_random.NextInt64(Stream.ConfirmOffset - Stream.StartOffset + 1) + Stream.StartOffset);
                    break;
                case < 91:
                    var start = Stream.StartOffset + _random.NextInt64(Stream.ConfirmOffset - Stream.StartOffset + 1) / 2;
                    oracle.Trimmed(start);
                    await Stream.TrimAsync(start, CancellationToken.None);
                    break;
                case < 93:
                    // By itself: the others' uploads are committed in whatever order they come.
                    await Stream.UploadAsync(Stream.NextOffset, CancellationToken.None);
                    world.Kernel.Coverage.Count("store: streams uploaded by themselves");
                    break;
                default:
                    await appends;
                    break;
            }

            await Task.Delay(_random.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(150)), runtime.Time);
        }

        await appends;
    }

    private async Task TryReadAsync(long offset)
    {
        try
        {
            await ReadAsync(offset);
        }
        catch (OutOfMemoryException)
        {
            world.Kernel.Coverage.Count("store: read refused for want of memory");
        }
    }

    /// <summary>Reads from an offset to what is confirmed by now, and shows the oracle everything.</summary>
    public async Task ReadAsync(long offset)
    {
        while (offset < Stream.ConfirmOffset)
        {
            using var read = await Stream.ReadAsync(offset, _random.Next(1, 20_000), CancellationToken.None);
            foreach (var record in read.Records)
            {
                // The first one may begin before the offset that was asked for.
                if (record.BaseOffset > offset || record.EndOffset <= offset)
                {
                    throw new ViolationException($"Stream {oracle.Id}: {record} is read where {offset} should come");
                }

                oracle.Read(record);
                offset = record.EndOffset;
            }

            if (read.Records.Count == 0)
            {
                throw new ViolationException($"Stream {oracle.Id}: nothing is read at {offset}, and {Stream.ConfirmOffset} is confirmed");
            }
        }
    }

    public OwnerState Capture(long since, bool withCheckpoint)
    {
        var state = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(state, Stream.NextOffset);
        return new OwnerState(Stream.NextOffset, withCheckpoint ? state : default(ReadOnlyMemory<byte>), default);
    }

    public void OnConfirmed(long confirmOffset)
    {
        if (confirmOffset < _confirmed)
        {
            world.Kernel.Fail(new ViolationException($"Stream {oracle.Id}: the confirm offset fell from {_confirmed} to {confirmOffset}"));
        }

        _confirmed = confirmOffset;
    }

    public void OnLost(StreamError error)
    {
        world.Kernel.Coverage.Count($"store: streams lost, {error}");
        if (error == StreamError.Fenced)
        {
            world.CheckFence(self);
        }
    }

    private IStream Stream => _stream ?? throw new InvalidOperationException("Not open");

    private async Task AppendAsync(AppendPermit permit, Task before)
    {
        using var unused = permit;
        PooledBuffer? buffer = null;
        ValueTask append;
        int number;
        try
        {
            buffer = buffers.Rent(_random.Chance(0.1) ? _random.Next(4, 8_000) : _random.Next(4, 500));
            var count = _random.Next(1, 6);
            number = oracle.Attempt(Stream.Epoch, Stream.NextOffset, count, buffer.GetSpan());
            append = Stream.AppendAsync(new StreamAppend(count, MaxTimestamp: number, buffer.Memory, buffer), permit);
        }
        catch (OutOfMemoryException)
        {
            // Refused: its offset is the next one's.
            world.Kernel.Coverage.Count("store: append refused for want of memory");
            await before;
            return;
        }
        finally
        {
            buffer?.Release();
        }

        try
        {
            await append;
        }
        catch (StreamException)
        {
            await before;
            throw;
        }

        oracle.Acknowledged(number);
        await before;
    }
}
