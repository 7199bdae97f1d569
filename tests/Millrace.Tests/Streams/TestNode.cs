using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Wal;

namespace Millrace.Tests.Streams;

/// <summary>One node incarnation's stream store over a test WAL, with helpers that append and check readable records.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public TestNode(TestRegistry registry, IObjectStorage storage, StreamsOptions? options = null, int epoch = 1, ILoggerFactory? loggers = null,
        TestWal? additional = null)
    {
        Registry = registry;
        Incarnation = new NodeIncarnation(new NodeId(1), new NodeEpoch(epoch));
        Runtime = new NodeRuntime(TimeProvider.System, TaskScheduler.Default, new SystemRandom(), null!, loggers ?? NullLoggerFactory.Instance);
        Buffers = new BufferPool(maxIdleBytes: 8 << 20) { Poisons = true, Taking = bytes => Taking?.Invoke(bytes) };
        Wal = new TestWal(Incarnation.Node, Incarnation.Epoch);
        registry.RegisterWal(Wal.Descriptor.Id, Incarnation);
        Options = options ?? Small;
        var wals = new NodeWals(Wal, additional is null ? [] : [additional]);
        Store = new StreamStore(Runtime, Options, new StreamsComponents(Incarnation, wals, storage, registry, Buffers));
    }

    /// <summary>Sizes at which a few records fill blocks and objects, and nothing is uploaded by age.</summary>
    public static StreamsOptions Small { get; } = new()
    {
        NotUploadedBytes = 4 << 20,
        UploadBytes = 1 << 20,
        UploadInterval = TimeSpan.FromHours(1),
        StreamObjectBytes = 2_000,
        DataBlockBytes = 500,
        TailCacheBytes = 0,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        RetryLimit = TimeSpan.FromMilliseconds(5),
    };

    public NodeIncarnation Incarnation { get; }

    public NodeRuntime Runtime { get; }

    public BufferPool Buffers { get; }

    /// <summary>Asked before memory is taken from the buffers, with its bytes; throws where there is to be none.</summary>
    public Action<long>? Taking { get; set; }

    public TestRegistry Registry { get; }

    public TestWal Wal { get; }

    public StreamsOptions Options { get; }

    public StreamStore Store { get; }

    public async Task<TestOwner> CreateAsync(TestOwner? owner = null) => await OpenAsync(await Registry.CreateAsync(Incarnation, default), epoch: 1, owner);

    public async Task<TestOwner> OpenAsync(StreamId id, int epoch, TestOwner? owner = null)
    {
        owner ??= new TestOwner();
        owner.Stream = await Store.OpenAsync(id, new StreamEpoch(epoch), owner, default);
        return owner;
    }

    /// <summary>Appends a record of a frame of its own, whose bytes follow from its stream and offset; returns when it is durable.</summary>
    public async Task AppendAsync(TestOwner owner, int count = 1, int bytes = 100, long timestamp = -1) =>
        await (await BeginAppendAsync(owner, count, bytes, timestamp));

    /// <summary>As <see cref="AppendAsync"/>, but returns when the offset is taken.</summary>
    public async Task<Task> BeginAppendAsync(TestOwner owner, int count = 1, int bytes = 100, long timestamp = -1)
    {
        var permit = await owner.Stream.AdmitAsync(bytes, default).AsTask().WaitAsync(Patience);
        return BeginAppend(owner, permit, count, bytes, timestamp);
    }

    /// <summary>Appends a record that fills a frame which is there already.</summary>
    public static async Task AppendFromAsync(TestOwner owner, PooledBuffer frame, AppendPermit permit)
    {
        Fill(frame.GetSpan(), owner.Stream.Id, owner.Stream.NextOffset);
        await owner.AppendAsync(new StreamAppend(1, -1, frame.Memory, frame), permit);
    }

    public Task BeginAppend(TestOwner owner, AppendPermit permit, int count, int bytes, long timestamp)
    {
        var frame = Buffers.Rent(bytes);
        try
        {
            Fill(frame.GetSpan(), owner.Stream.Id, owner.Stream.NextOffset);
            return owner.AppendAsync(new StreamAppend(count, timestamp, frame.Memory, frame), permit).AsTask();
        }
        finally
        {
            frame.Release();
        }
    }

    /// <summary>Reads everything from an offset to the confirm offset, checks contiguity and bytes, and returns the base offsets.</summary>
    public static async Task<List<long>> ReadAllAsync(IStream stream, long offset, int maxBytes = 1000)
    {
        var offsets = new List<long>();
        while (true)
        {
            using var read = await stream.ReadAsync(offset, maxBytes, default).AsTask().WaitAsync(Patience);
            if (read.Records.Count == 0)
            {
                Xunit.Assert.Equal(stream.ConfirmOffset, offset);
                return offsets;
            }

            foreach (var record in read.Records)
            {
                Xunit.Assert.True(record.BaseOffset == offset || (offsets.Count == 0 && record.BaseOffset <= offset && record.EndOffset > offset));
                CheckBytes(record);
                offsets.Add(record.BaseOffset);
                offset = record.EndOffset;
            }
        }
    }

    public static void CheckBytes(StreamRecord record)
    {
        var expected = new byte[record.Payload.Length];
        Fill(expected, record.Stream, record.BaseOffset);
        Xunit.Assert.Equal(expected, record.Payload.ToArray());
    }

    /// <summary>Uploads everything now, by trimming nothing away: waits until the WAL need not keep anything.</summary>
    public async Task UploadAsync()
    {
        Store.Planner.AskForAll();
        await UntilAsync(() => Store.Streams.All(stream => stream.Core.OldestNeededPosition is null));
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Xunit.Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, "A condition was not met in time");
            await Task.Delay(2);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Xunit.Assert.False(Runtime.Failed.IsCompleted, Runtime.Failed.IsCompleted ? (await Runtime.Failed).ToString() : "");
        Runtime.Dispose();
        Buffers.Dispose();
    }

    public static void Fill(Span<byte> bytes, StreamId stream, long offset)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)(stream.Value * 31 + offset * 7 + i);
        }
    }
}
