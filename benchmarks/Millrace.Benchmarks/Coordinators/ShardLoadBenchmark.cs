using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Coordination.Groups;
using Millrace.Coordination.Groups.Messages;
using Millrace.Coordination.Groups.Records;
using Millrace.Coordination.Shards;
using Millrace.Runtime;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Benchmarks.Coordinators;

/// <summary>How long a shard of the group coordinator takes to load its committed offsets from a log in memory, and what it holds then.</summary>
internal static class ShardLoadBenchmark
{
    private const int Topics = 10;

    public static async Task<int> RunAsync(int offsets, int groups)
    {
        using var runtime = new NodeRuntime(
            TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);
        var log = new LogInMemory();
        Fill(log, offsets, groups);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{offsets} offsets of {groups} groups: {log.Bytes / 1e6:F0} MB"));
        for (var round = 0; round < 5; round++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var (began, allocated) = (Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes());
            var coordinator = new GroupCoordinator(runtime, new GroupOptions()) { PartitionCount = 1 };
            coordinator.Elect(0, round, log, log);
            OffsetFetchAnswer answer;
            do
            {
                await Task.Delay(1);
                answer = await coordinator.FetchAsync(new OffsetFetchQuery("group-0", null), default);
            }
            while (answer.Error != GroupError.None);

            var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
            var allocations = GC.GetTotalAllocatedBytes() - allocated;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"loaded in {took:F2} s, {allocations / 1e6:F0} MB allocated, {(GC.GetTotalMemory(forceFullCollection: true) - before) / 1e6:F0} MB kept"));
            coordinator.Resign(0, round);
        }

        return 0;
    }

    private static void Fill(LogInMemory log, int offsets, int groups)
    {
        var codec = new GroupRecordCodec();
        var each = offsets / groups / Topics;
        var batch = new RecordBuffer<GroupRecord>(codec);
        for (var group = 0; group < groups; group++)
        {
            for (var topic = 0; topic < Topics; topic++)
            {
                for (var partition = 0; partition < each; partition++)
                {
                    batch.Add(new OffsetRecord(
                        $"group-{group}", $"some.topic-{topic}", partition, new CommittedOffset { Offset = partition * 1_000L, CommitTimestamp = 1 }));
                }

                _ = log.AppendAsync(batch.Take(batch.Count), 1);
                batch.Clear();
            }
        }
    }
}
