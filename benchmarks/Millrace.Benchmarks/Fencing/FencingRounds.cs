using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Streams;
using Millrace.Streams.Registry;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;

namespace Millrace.Benchmarks.Fencing;

/// <summary>
/// One host writes the WAL on a device, and another, which sees the same device by another path, takes it over while that goes on; again and again.
/// </summary>
/// <param name="writer">The device as the writer's host sees it.</param>
/// <param name="taker">The device as the other sees it.</param>
/// <param name="fillBytes">So much is acknowledged before each take-over.</param>
/// <param name="settling">How long what may land too late is waited for.</param>
internal sealed class FencingRounds(
    BlockDeviceOptions writer, BlockDeviceOptions taker, long fillBytes, TimeSpan settling)
{
    private const int Writers = 16;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly NodeRuntime _runtime = new(
        TimeProvider.System, TaskScheduler.Default, new SystemRandom(), new LinuxFileSystem(TaskScheduler.Default), NullLoggerFactory.Instance);

    private readonly BufferPool _pool = new(256 << 20);

    /// <exception cref="InvalidDataException">Something was lost, altered, or written by one that was fenced.</exception>
    public async Task RunAsync(int rounds)
    {
        Console.WriteLine("| round | acknowledged | recovered | to fence and seal, ms | to read 100 MiB, ms | the writer was refused by |");
        Console.WriteLine("|---|---|---|---|---|---|");
        for (var round = 0; round < rounds; round++)
        {
            await RunOneAsync(round);
        }

        Console.WriteLine(FormattableString.Invariant(
            $"\n{rounds} take-overs: each acknowledged record was recovered as it was, and nothing was written to the device afterwards."));
    }

    private async Task RunOneAsync(int round)
    {
        var provider = new RingWalProvider(_runtime, _pool, new BlockMedium(await FindAsync(1, round * 2, writer, [])), new());
        await using var wal = await provider.CreateAsync(provider.Describe(new NodeId(1), new NodeEpoch(round * 2), []), CancellationToken.None);
        FencedWriter[] writers = [.. Enumerable.Range(1, Writers).Select(number => FencedWriter.Start(wal, number))];
        await WaitAsync(() => FencedWriter.BytesOf(writers) >= fillBytes || Array.Exists(writers, one => one.Ended.IsCompleted), "the writers");

        var devices = await FindAsync(2, round * 2 + 1, null, [taker]);
        var began = Stopwatch.GetTimestamp();
        await using var taken = await new RingWalTakeover(_runtime, _pool, devices).TakeOverAsync(wal.Descriptor, CancellationToken.None);
        var sealing = Stopwatch.GetElapsedTime(began);
        var found = await DeviceChecksum.OfAsync(taker.Path, _runtime, _pool);

        var refusals = await Task.WhenAll(writers.Select(one => one.Ended)).WaitAsync(Limit);
        began = Stopwatch.GetTimestamp();
        var bytes = await MeasureAsync(taken);
        var reading = Stopwatch.GetElapsedTime(began);
        var records = await CheckAsync(taken, writers);
        if (Array.Exists(refusals, refusal => refusal != StreamError.Fenced))
        {
            throw new InvalidDataException($"The writer was refused by {string.Join(", ", refusals.Distinct())}, and not because it was fenced");
        }

        await Task.Delay(settling);
        if (await DeviceChecksum.OfAsync(taker.Path, _runtime, _pool) != found)
        {
            throw new InvalidDataException("The device has changed since it was taken over: a write of the fenced host has landed");
        }

        Console.WriteLine(FormattableString.Invariant(
            $"| {round + 1} | {writers.Sum(one => one.Acknowledged)} | {records} | {sealing.TotalMilliseconds:F0} | ")
            + FormattableString.Invariant($"{reading.TotalMilliseconds / bytes * (100 << 20):F0} | {string.Join(", ", refusals.Distinct())} |"));
    }

    private static async Task<long> MeasureAsync(ISealedWal taken)
    {
        var bytes = 0L;
        await foreach (var record in taken.ReadAsync(CancellationToken.None))
        {
            bytes += record.Payload.Length;
        }

        return bytes;
    }

    /// <returns>How many records there are.</returns>
    private static async Task<long> CheckAsync(ISealedWal taken, FencedWriter[] writers)
    {
        var next = new long[Writers + 1];
        await foreach (var record in taken.ReadAsync(CancellationToken.None))
        {
            FencedWriter.Check(record, next[record.Stream.Value]++);
        }

        for (var number = 1; number <= Writers; number++)
        {
            if (next[number] < writers[number - 1].Acknowledged)
            {
                throw new InvalidDataException($"Writer {number} has {writers[number - 1].Acknowledged} acknowledged records, and {next[number]} are there");
            }
        }

        return next.Sum();
    }

    private async Task<BlockDevices> FindAsync(int node, int epoch, BlockDeviceOptions? own, BlockDeviceOptions[] others)
    {
        var owner = new BlockOwner("bench", new NodeIncarnation(new NodeId(node), new NodeEpoch(epoch)));
        var devices = new BlockDevices(_runtime, _pool, own, others) { Owner = owner };
        await devices.FindAsync(CancellationToken.None);
        return devices;
    }

    private static async Task WaitAsync(Func<bool> isSo, string what)
    {
        var began = Stopwatch.GetTimestamp();
        while (!isSo())
        {
            if (Stopwatch.GetElapsedTime(began) > Limit)
            {
                throw new TimeoutException($"{what} did not get on for {Limit.TotalMinutes} min");
            }

            await Task.Delay(5);
        }
    }
}
