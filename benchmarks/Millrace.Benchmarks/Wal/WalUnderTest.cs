using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Benchmarks.Wal;

/// <summary>A WAL that is appended to, and trimmed as a broker would.</summary>
internal sealed class WalUnderTest : IAsyncDisposable
{
    private const double TrimmedFrom = 0.4;

    private readonly NodeRuntime _runtime;
    private readonly BufferPool _pool;
    private readonly IWriteAheadLog _wal;
    private int _trimming;

    private WalUnderTest(NodeRuntime runtime, BufferPool pool, IWriteAheadLog wal) => (_runtime, _pool, _wal) = (runtime, pool, wal);

    /// <param name="medium">Makes the medium that it lies on.</param>
    public static async Task<WalUnderTest> OpenAsync(Func<NodeRuntime, BufferPool, Task<IWalMedium>> medium)
    {
        var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        var pool = new BufferPool(256 << 20);
        var provider = new RingWalProvider(runtime, pool, await medium(runtime, pool), new());
        return new(runtime, pool, await provider.CreateAsync(provider.Describe(new(1), new(1), []), CancellationToken.None));
    }

    /// <summary>So many writers, each of which appends when its last append is durable.</summary>
    public async Task<Run> WriteAsync(int bytes, int writers, TimeSpan time)
    {
        var record = Record(bytes);
        var began = Stopwatch.GetTimestamp();
        var micros = await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Run(WriteOneAsync)));
        var all = micros.SelectMany(some => some).ToList();
        return new Run(all.Count / Stopwatch.GetElapsedTime(began).TotalSeconds, new Sample(all));

        async Task<List<double>> WriteOneAsync()
        {
            var took = new List<double>();
            while (Stopwatch.GetElapsedTime(began) < time)
            {
                took.Add(await AppendAsync(record));
            }

            return took;
        }
    }

    /// <summary>Appends that begin at a steady rate, whether those before are durable or not.</summary>
    public async Task<Run> WriteSteadilyAsync(int bytes, double perSecond, TimeSpan time)
    {
        var record = Record(bytes);
        var began = Stopwatch.GetTimestamp();
        var appends = new List<Task<double>>();
        var pacing = new Thread(() =>
        {
            for (var number = 0; Stopwatch.GetElapsedTime(began) < time; number++)
            {
                Pause.Until(began + (long)(number / perSecond * Stopwatch.Frequency));
                appends.Add(AppendAsync(record));
            }
        });
        pacing.Start();
        pacing.Join();
        var all = await Task.WhenAll(appends);
        return new Run(all.Length / Stopwatch.GetElapsedTime(began).TotalSeconds, new Sample(all));
    }

    public async ValueTask DisposeAsync()
    {
        await _wal.RetireAsync(CancellationToken.None);
        _pool.Dispose();
        _runtime.Dispose();
    }

    private static StreamRecord Record(int bytes)
    {
        var payload = new byte[bytes];
        new Random(bytes).NextBytes(payload);

        // As a broker hands over what clients have summed up.
        return new(new(1), new(1), 0, 1, 0, payload) { PayloadChecksum = bytes >= Crc32C.WorthJoining ? Crc32C.Of(payload) : null };
    }

    private async Task<double> AppendAsync(StreamRecord record)
    {
        var start = Stopwatch.GetTimestamp();
        await _wal.AppendAsync(record, out var position);
        var took = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        if (_wal.Fullness > TrimmedFrom && Interlocked.Exchange(ref _trimming, 1) == 0)
        {
            await _wal.TrimAsync(position, CancellationToken.None);
            Volatile.Write(ref _trimming, 0);
        }

        return took;
    }
}
