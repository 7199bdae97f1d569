using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Benchmarks.Wal;

/// <summary>
/// What a file WAL takes, in both modes: megabytes a second with many appends under way, processor seconds for each gigabyte,
/// and how long one append alone takes.
/// </summary>
internal static class WalBenchmark
{
    private const long BytesPerRun = 1L << 30;
    private const long BytesUnderWay = 32 << 20;
    private const int AppendsUnderWay = 4096;
    private const int LoneAppends = 1000;

    public static async Task<int> RunAsync(string parent)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, $"millrace-bench-wal-{Environment.ProcessId}"));
        try
        {
            Console.WriteLine("mode      record      MB/s   CPU-s/GB   create ms   alone p50 us   alone p99 us");
            foreach (var mode in (WalDeviceMode[])[WalDeviceMode.Buffered, WalDeviceMode.Direct])
            {
                foreach (var size in (int[])[100, 4 << 10, 64 << 10, 1 << 20])
                {
                    await MeasureAsync(folder.FullName, mode, size);
                }
            }

            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(string folder, WalDeviceMode mode, int size)
    {
        using var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        using var pool = new BufferPool(256 << 20);
        var provider = new RingWalProvider(runtime, pool, new WalFolder(runtime, folder, new() { Mode = mode }), new());
        var creating = Stopwatch.GetTimestamp();
        var wal = await provider.CreateAsync(provider.Describe(new(1), new(1), []), CancellationToken.None);
        var created = Stopwatch.GetElapsedTime(creating);
        var buffer = pool.Rent(size);
        Random.Shared.NextBytes(buffer.Memory.Span);
        var record = new StreamRecord(new(1), new(1), 0, 1, 0, buffer.Memory);

        // Twice round the ring first: blocks that were never written before cost the file system more.
        await FloodAsync(wal, record, BytesPerRun);
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var began = Stopwatch.GetTimestamp();
        var written = await FloodAsync(wal, record, size < 1000 ? BytesPerRun / 8 : BytesPerRun);
        var elapsed = Stopwatch.GetElapsedTime(began);
        processor = Process.GetCurrentProcess().TotalProcessorTime - processor;
        var alone = await AppendAloneAsync(wal, record);
        Console.WriteLine(
            $"{mode,-9} {size,7} {written / elapsed.TotalSeconds / 1e6,9:F0} {processor.TotalSeconds / written * 1e9,10:F2} "
            + $"{created.TotalMilliseconds,11:F1} {alone[LoneAppends / 2],14:F0} {alone[LoneAppends * 99 / 100],14:F0}");
        buffer.Release();
        await wal.RetireAsync(CancellationToken.None);
    }

    private static async Task<long> FloodAsync(IWriteAheadLog wal, StreamRecord record, long bytes)
    {
        var underWay = new Queue<(ValueTask Durable, long Position)>();
        var limit = (int)Math.Min(AppendsUnderWay, BytesUnderWay / record.Payload.Length);
        var written = 0L;
        var lastTrim = 0L;
        while (written < bytes)
        {
            underWay.Enqueue((wal.AppendAsync(record, out var position), position));
            written += record.Payload.Length;
            if (underWay.Count == limit)
            {
                var oldest = underWay.Dequeue();
                await oldest.Durable;
                if (wal.Fullness > 0.4 && oldest.Position > lastTrim)
                {
                    lastTrim = oldest.Position;
                    await wal.TrimAsync(oldest.Position, CancellationToken.None);
                }
            }
        }

        while (underWay.TryDequeue(out var left))
        {
            await left.Durable;
        }

        return written;
    }

    private static async Task<double[]> AppendAloneAsync(IWriteAheadLog wal, StreamRecord record)
    {
        var times = new double[LoneAppends];
        for (var i = 0; i < LoneAppends; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await wal.AppendAsync(record, out var position);
            times[i] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            if (wal.Fullness > 0.4)
            {
                await wal.TrimAsync(position, CancellationToken.None);
            }
        }

        Array.Sort(times);
        return times;
    }
}
