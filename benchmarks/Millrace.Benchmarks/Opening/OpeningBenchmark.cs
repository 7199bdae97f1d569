using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage.File;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Wal.Object;

namespace Millrace.Benchmarks.Opening;

/// <summary>
/// What a node waits for that is given many partitions at once, some records of each only in the WAL of the one that was lost: its WAL taken over and
/// recovered, then all opened; in seconds, requests to the controller and calls to the store. And a WAL of many small objects, taken over and read.
/// </summary>
internal static class OpeningBenchmark
{
    private static readonly TimeSpan[] Latencies = [TimeSpan.Zero, TimeSpan.FromMilliseconds(20)];

    public static async Task<int> RunAsync(int partitions, int topics, int objects)
    {
        using var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        foreach (var latency in Latencies)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"directory, {latency.TotalMilliseconds} ms beside"));
            await OpenAsync(runtime, latency, partitions, topics);
            await TakeOverAsync(runtime, latency, objects);
        }

        return 0;
    }

    private static async Task OpenAsync(NodeRuntime runtime, TimeSpan latency, int partitions, int topics)
    {
        using var folder = new ScratchFolder();
        await using var storage = new DistantStorage(await FileObjectStorage.OpenAsync(runtime, folder.Path, default));
        await using var cluster = await OpeningCluster.StartAsync(runtime, storage);
        var former = await OpeningNode.RegisterAsync(cluster);
        await cluster.CreateAsync(topics, partitions);
        await former.OpenAsync();
        for (var sequence = 0; sequence < 5; sequence++)
        {
            await former.ProduceAsync(sequence);
            if (sequence == 2)
            {
                await former.UploadAsync();
            }
        }

        await former.DisposeAsync();
        storage.Latency = latency;
        var node = await OpeningNode.RegisterAsync(cluster);
        await MeasureAsync($"recover the WAL of {partitions} partitions", storage, cluster.Link, node.RecoverAsync);
        await MeasureAsync($"open {partitions} partitions of {topics} topics", storage, cluster.Link, node.OpenAsync);
        storage.Latency = TimeSpan.Zero;
        await node.DisposeAsync();
    }

    private static async Task TakeOverAsync(NodeRuntime runtime, TimeSpan latency, int objects)
    {
        using var folder = new ScratchFolder();
        using var buffers = new BufferPool(maxIdleBytes: 64 << 20);
        await using var storage = new DistantStorage(await FileObjectStorage.OpenAsync(runtime, folder.Path, default));
        var wals = new ObjectWalProvider(runtime, buffers, storage, new());
        var descriptor = wals.Describe(new NodeId(1), new NodeEpoch(1), []);
        await using (var wal = await wals.CreateAsync(descriptor, default))
        {
            for (var i = 0; i < objects; i++)
            {
                await wal.AppendAsync(new StreamRecord(new StreamId(1), new StreamEpoch(1), i, 1, -1, new byte[1_000]), out _);
            }
        }

        storage.Latency = latency;
        var records = 0;
        await MeasureAsync($"take over and read a WAL of {objects} objects", storage, link: null, async () =>
        {
            await using var recovery = await wals.TakeOverAsync(descriptor, default);
            await foreach (var _ in recovery.ReadAsync(default))
            {
                records++;
            }
        });
        Invariant.Check(records == objects);
    }

    private static async Task MeasureAsync(string what, DistantStorage storage, CountedLink? link, Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var (calls, requests, processor, began) = (storage.Calls, link?.Requests, process.TotalProcessorTime, Stopwatch.GetTimestamp());
        await work();
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        process.Refresh();
        var asked = requests is { } before ? $"{link!.Requests - before} requests to the controller, " : "";
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {what}: {seconds:F2} s, {(process.TotalProcessorTime - processor).TotalSeconds:F2} CPU-s; {asked}{storage.Calls - calls}"));
    }
}
