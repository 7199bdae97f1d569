using System.Buffers;
using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.ObjectStorage.File;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Benchmarks.Files;

/// <summary>
/// What the directory object store takes for objects that are written through the page cache and past it, in turns: megabytes a
/// second and processor seconds for each gigabyte, of this process and of the whole machine, since the kernel writes pages
/// back on threads of its own.
/// </summary>
internal static class FilesBenchmark
{
    private const int ObjectBytes = 64 << 20;
    private const int LargeObjects = 8;
    private const long BytesPerStep = (long)LargeObjects * ObjectBytes;
    private const int SmallObjects = 128;
    private const int Unaligned = 61;
    private const int SegmentBytes = (16 << 10) + Unaligned;
    private const int BlockBytes = 512 << 10;
    private const int Rounds = 3;

    public static async Task<int> RunAsync(string parent)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, $"millrace-bench-files-{Environment.ProcessId}"));
        try
        {
            Console.WriteLine("step                          way           MB/s   CPU-s/GB   machine CPU-s/GB");
            for (var round = 0; round < Rounds; round++)
            {
                await MeasureAsync(folder.FullName, "buffered", int.MaxValue);
                await MeasureAsync(folder.FullName, "direct", 1);
            }

            return 0;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(string parent, string way, int directFrom)
    {
        var folder = Path.Combine(parent, way);
        using var runtime = new NodeRuntime(
            TimeProvider.System,
            TaskScheduler.Default,
            new SystemRandom(),
            new LinuxFileSystem(TaskScheduler.Default) { DirectFrom = directFrom },
            NullLoggerFactory.Instance);
        using var pool = new BufferPool(256 << 20);
        await using var store = await FileObjectStorage.OpenAsync(runtime, folder, CancellationToken.None);
        var body = Body(pool);
        foreach (var size in (int[])[64 << 10, 256 << 10, 1 << 20, 4 << 20, ObjectBytes])
        {
            var part = body.Slice(0, size);
            var count = Math.Min(SmallObjects, (int)(BytesPerStep / size));
            await ReportAsync($"put {size >> 10} KiB objects", way, (long)count * size, async () =>
            {
                for (var i = 0; i < count; i++)
                {
                    await store.PutAsync($"{size}/{i}", part, CancellationToken.None);
                }
            });
        }

        for (var i = 0; i < LargeObjects; i++)
        {
            DropCached(Path.Combine(folder, KeyOf(i)));
        }

        const long BytesRead = LargeObjects * (ObjectBytes - (long)BlockBytes);
        await ReportAsync("read 512 KiB from the disk", way, BytesRead, () => ReadAsync(store, pool));
        await ReportAsync("read 512 KiB again", way, BytesRead, () => ReadAsync(store, pool));
        Directory.Delete(folder, recursive: true);
    }

    private static string KeyOf(int largeObject) => $"{ObjectBytes}/{largeObject}";

    private static async Task ReadAsync(FileObjectStorage store, BufferPool pool)
    {
        for (var i = 0; i < LargeObjects; i++)
        {
            for (var position = 0; position < ObjectBytes - BlockBytes; position += BlockBytes)
            {
                var buffer = pool.Rent(BlockBytes);
                Invariant.Check(await store.ReadAsync(KeyOf(i), position + Unaligned, buffer.Memory, CancellationToken.None) == BlockBytes);
                buffer.Release();
            }
        }
    }

    private static async Task ReportAsync(string step, string way, long bytes, Func<Task> run)
    {
        var (processor, machine, began) = (Process.GetCurrentProcess().TotalProcessorTime, MachineProcessorTime(), Stopwatch.GetTimestamp());
        await run();
        var elapsed = Stopwatch.GetElapsedTime(began);
        processor = Process.GetCurrentProcess().TotalProcessorTime - processor;
        machine = MachineProcessorTime() - machine;
        Console.WriteLine(
            $"{step,-29} {way,-9} {bytes / elapsed.TotalSeconds / 1e6,8:F0} "
            + $"{processor.TotalSeconds / bytes * 1e9,10:F3} {machine.TotalSeconds / bytes * 1e9,18:F3}");
    }

    private static ReadOnlySequence<byte> Body(BufferPool pool)
    {
        var body = new JoinedMemory();
        for (var left = ObjectBytes; left > 0;)
        {
            var buffer = pool.Rent(Math.Min(left, SegmentBytes));
            Random.Shared.NextBytes(buffer.Memory.Span);
            body.Add(buffer.Memory);
            left -= buffer.Length;
        }

        return body.ToSequence();
    }

    // What dd's manual gives for it.
    private static void DropCached(string path)
    {
        using var dd = Process.Start("dd", ["of=" + path, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"]);
        dd.WaitForExit();
    }

    private static TimeSpan MachineProcessorTime()
    {
        // user, nice, system, idle, iowait, irq, softirq, in hundredths of a second.
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(long.Parse).ToArray();
        return TimeSpan.FromMilliseconds(10 * (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]));
    }
}
