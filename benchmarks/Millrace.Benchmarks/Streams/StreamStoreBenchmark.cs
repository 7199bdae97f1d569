using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Store;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Benchmarks.Streams;

/// <summary>
/// Append and upload through the stream store alone: with a WAL that does nothing, which shows what the store itself costs, and with
/// the file WAL on a file system in memory. In MB/s, processor time and garbage.
/// </summary>
internal static class StreamStoreBenchmark
{
    public static async Task<int> RunAsync()
    {
        Console.WriteLine("WAL   streams  record bytes  MB/s  CPU s/GB  us/append  garbage B/append");
        foreach (var file in new[] { false, true })
        {
            foreach (var (streams, bytes, total) in new[]
            {
                (1, 16 << 10, 2L << 30), (100, 16 << 10, 2L << 30), (100, 1 << 10, 256L << 20), (1, 1 << 20, 2L << 30),
            })
            {
                await RunAsync(file, streams, bytes, total / 8);
                await MeasureAsync(file, streams, bytes, total);
            }
        }

        return 0;
    }

    private static async Task MeasureAsync(bool file, int streams, int bytes, long total)
    {
        using var process = Process.GetCurrentProcess();
        var (processor, garbage, started) = (process.TotalProcessorTime, GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());
        var appends = await RunAsync(file, streams, bytes, total);
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        process.Refresh();
        var cpu = (process.TotalProcessorTime - processor).TotalSeconds;
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - garbage;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(file ? "file" : "none"),-4}  {streams,7}  {bytes,12}  {total / 1e6 / elapsed,4:F0}  {cpu / (total / 1e9),8:F2}  "
            + $"{elapsed * 1e6 / appends,9:F2}  {allocated / (double)appends,16:F0}"));
    }

    private static async Task<long> RunAsync(bool file, int streams, int bytes, long total)
    {
        using var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        using var buffers = new BufferPool(maxIdleBytes: 256 << 20);
        var node = new NodeIncarnation(new NodeId(1), new NodeEpoch(1));
        var folder = Directory.CreateDirectory(Path.Combine("/dev/shm", $"millrace-bench-{runtime.NewId():N}")).FullName;
        var provider = new RingWalProvider(runtime, buffers, new WalFolder(runtime, folder, new()), new());
        await using var wal = file ? await provider.CreateAsync(provider.Describe(node.Node, node.Epoch, []), default) : new NoWal();
        await using var storage = new ForgetfulStorage();
        await using var store = new StreamStore(
            runtime, new StreamsOptions(), new StreamsComponents(node, new NodeWals(wal), storage, new BenchmarkRegistry(), buffers));
        var appends = total / bytes;
        await Task.WhenAll(Enumerable.Range(0, streams).Select(i => Task.Run(() => ProduceAsync(store, buffers, i, bytes, appends / streams))));
        await store.CloseAsync(default);
        Directory.Delete(folder, recursive: true);
        return appends;
    }

    // As a partition does: a window of appends in flight, each in a frame of its own, one at a time into the stream.
    private static async Task ProduceAsync(StreamStore store, BufferPool buffers, int id, int bytes, long count)
    {
        const int Window = 8;
        var owner = new BenchmarkOwner();
        var stream = await store.OpenAsync(new StreamId(id), new StreamEpoch(1), owner, default);
        owner.Stream = stream;
        var turn = new Lock();
        await Task.WhenAll(Enumerable.Range(0, Window).Select(async _ =>
        {
            for (var i = 0L; i < count / Window; i++)
            {
                using var permit = await stream.AdmitAsync(bytes, default);
                await Append(permit, i);
            }
        }));

        ValueTask Append(AppendPermit permit, long timestamp)
        {
            var frame = buffers.Rent(bytes);
            try
            {
                lock (turn)
                {
                    return stream.AppendAsync(new StreamAppend(1, timestamp, frame.Memory, frame), permit);
                }
            }
            finally
            {
                frame.Release();
            }
        }
    }
}
