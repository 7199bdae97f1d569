using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Controller.Log;
using Millrace.Metadata;
using Millrace.ObjectStorage.Memory;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Benchmarks.Metadata;

/// <summary>
/// What the metadata of a large cluster costs whoever holds all of it: bytes in memory, in a snapshot and in the log, and seconds to decide, to take a
/// snapshot and to load it, from a store in memory.
/// </summary>
internal static class MetadataBenchmark
{
    public static async Task<int> RunAsync(int partitions, int ranges)
    {
        var empty = Settled();
        var cluster = new GrowingCluster(partitions);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{partitions} partitions, no ranges: {(Settled() - empty) / 1e6:F0} MB in memory"));

        var (began, log) = (Stopwatch.GetTimestamp(), 0L);
        for (var i = 0; i < ranges; i++)
        {
            cluster.Upload();
            log += cluster.CommitBytes;
        }

        var count = (double)partitions * ranges;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{ranges} ranges each: {(Settled() - empty) / 1e6:F0} MB in memory; {log / count:F1} bytes a range in the log; "
            + $"{Stopwatch.GetElapsedTime(began).TotalSeconds * 1e6 / count:F2} us a range to commit"));

        await using var storage = new MemoryObjectStorage();
        using var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        var store = new SnapshotStore(runtime, storage, new MetadataLogOptions());
        began = Stopwatch.GetTimestamp();
        var bytes = await store.SaveAsync(
            new Snapshot(LogStart.Beginning() with { Next = new LogPlace(1, 1) }, new ControllerSeal { Host = "host" }, cluster.State), default);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"snapshot: {bytes / 1e6:F0} MB, {bytes / count:F1} bytes a range; {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s to take"));

        began = Stopwatch.GetTimestamp();
        var loaded = (await store.FindAsync(whole: true, default)).Newest!.State;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"cold load: {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s"));
        Invariant.Check(loaded.Streams.Streams.Count == cluster.State.Streams.Streams.Count);

        var before = Settled();
        began = Stopwatch.GetTimestamp();
        var half = (await store.FindAsync(whole: false, default)).Newest!.State;
        var took = Stopwatch.GetElapsedTime(began);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"of that what a follower keeps: {took.TotalSeconds:F1} s to load, {(Settled() - before) / 1e6:F0} MB in memory"));
        Invariant.Check(half.Cluster.Topics.Count == cluster.State.Cluster.Topics.Count);
        return 0;
    }

    private static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
