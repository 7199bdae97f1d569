using System.Diagnostics;

namespace Millrace.Benchmarks.Wal;

/// <summary>
/// What a WAL makes of what it lies on, beside raw writes to its like, in turns: megabytes a second of large appends, appends a second of small ones by several
/// writers, and how long one takes under a moderate load; the last two also with flushes that take longer.
/// </summary>
internal sealed class WalBenchmark(TimeSpan time, int rounds)
{
    private const int Small = 4 << 10;
    private const int BytesUnderWay = 32 << 20;

    // What keeps a device busy: more did not raise what any here took.
    private const int WritesAtOnce = 4;

    // Of what one writer alone brings about.
    private const double ModerateLoad = 0.5;

    /// <param name="parent">On the disk to be measured.</param>
    /// <param name="kinds">What the WALs lie on.</param>
    /// <param name="flushDelay">How much longer flushes take in the second pass.</param>
    public async Task RunAsync(string parent, IReadOnlyList<WalPlaceKind> kinds, TimeSpan flushDelay)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, $"millrace-bench-wal-{Environment.ProcessId}")).FullName;
        try
        {
            foreach (var kind in kinds)
            {
                using var place = WalPlace.Open(folder, kind);
                Console.WriteLine($"\n{place.Name}");
                await MeasureBandwidthAsync(place);
                foreach (var delay in (TimeSpan[])[TimeSpan.Zero, flushDelay])
                {
                    await MeasureCommitsAsync(place, delay);
                    await MeasureWaitsAsync(place, delay);
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task MeasureBandwidthAsync(WalPlace place)
    {
        await using var wal = await place.OpenAsync(TimeSpan.Zero);
        Console.WriteLine("\n| record | WAL MB/s | CPU-s/GB | raw MB/s | WAL/raw | raw and flushed MB/s |\n|---|---|---|---|---|---|");
        foreach (var bytes in (int[])[100, Small, 64 << 10, 256 << 10, 1 << 20])
        {
            // Twice round the ring first: blocks that were never written before cost a file system more.
            var writers = Math.Min(4096, BytesUnderWay / bytes);
            await wal.WriteAsync(bytes, writers, time);
            List<double> rates = [], processor = [], raws = [], flushed = [];
            for (var round = 0; round < rounds; round++)
            {
                var before = Process.GetCurrentProcess().TotalProcessorTime;
                var began = Stopwatch.GetTimestamp();
                var run = await wal.WriteAsync(bytes, writers, time);
                rates.Add(run.PerSecond * bytes / 1e6);
                processor.Add(
                    (Process.GetCurrentProcess().TotalProcessorTime - before).TotalSeconds
                    / (run.PerSecond * bytes * Stopwatch.GetElapsedTime(began).TotalSeconds) * 1e9);
                if (bytes >= Small)
                {
                    raws.Add(Best(place, TimeSpan.Zero, [new(bytes, WritesAtOnce, IsDurable: false)]).Run.PerSecond * bytes / 1e6);
                    flushed.Add(Best(place, TimeSpan.Zero, [new(bytes, WritesAtOnce, IsDurable: true)]).Run.PerSecond * bytes / 1e6);
                }
            }

            var raw = raws.Count > 0 ? $"{Half(raws):F0} | {Half(rates) / Half(raws):F2} | {Half(flushed):F0}" : "| |";
            Console.WriteLine($"| {bytes} | {Half(rates):F0} | {Half(processor):F2} | {raw} |");
        }
    }

    private async Task MeasureCommitsAsync(WalPlace place, TimeSpan delay)
    {
        await using var wal = await place.OpenAsync(delay);
        Console.WriteLine($"\nAppends of 4 KiB, flushes {delay.TotalMilliseconds:F1} ms longer");
        Console.WriteLine("| writers | WAL appends/s | raw group commit, best | WAL/raw | by |\n|---|---|---|---|---|");
        foreach (var writers in (int[])[1, 16, 256])
        {
            List<double> rates = [], raws = [];
            var by = "";
            for (var round = 0; round < rounds; round++)
            {
                rates.Add((await wal.WriteAsync(Small, writers, time)).PerSecond);
                var groups = ((int[])[1, 2, 4]).Where(groups => groups <= writers).ToList();
                var best = Best(place, delay, [.. groups.Select(groups => new RawWork(Small * writers / groups, groups, IsDurable: true))]);
                raws.Add(best.Run.PerSecond * best.Work.Bytes / Small);
                by = $"{best.Name}, {best.Work.AtOnce} of {best.Work.Bytes >> 10} KiB";
            }

            Console.WriteLine($"| {writers} | {Half(rates):F0} | {Half(raws):F0} | {Half(rates) / Half(raws):F2} | {by} |");
        }
    }

    private async Task MeasureWaitsAsync(WalPlace place, TimeSpan delay)
    {
        await using var wal = await place.OpenAsync(delay);
        Console.WriteLine($"\nHow long one takes at half the rate of a writer that does nothing else, flushes {delay.TotalMilliseconds:F1} ms longer");
        Console.WriteLine("| record | a second | WAL p50 | p99 us | raw p50 | p99 us | p99 WAL/raw |\n|---|---|---|---|---|---|---|");
        foreach (var bytes in (int[])[Small, 64 << 10])
        {
            var rate = Best(place, delay, [new(bytes, 1, IsDurable: true)]).Run.PerSecond * ModerateLoad;
            List<Sample> waits = [], raws = [];
            for (var round = 0; round < rounds; round++)
            {
                waits.Add((await wal.WriteSteadilyAsync(bytes, rate, time)).Micros);
                using var raw = place.OpenRaw(delay)[0].Device;
                raws.Add(raw.Write(new(bytes, 1, IsDurable: true, rate), time).Micros);
            }

            var (p99, raw99) = (Half(waits.Select(wait => wait.At(0.99))), Half(raws.Select(wait => wait.At(0.99))));
            Console.WriteLine(
                $"| {bytes} | {rate:F0} | {Half(waits.Select(wait => wait.At(0.5))):F0} | {p99:F0} "
                + $"| {Half(raws.Select(wait => wait.At(0.5))):F0} | {raw99:F0} | {p99 / raw99:F2} |");
        }
    }

    private (string Name, RawWork Work, Run Run) Best(WalPlace place, TimeSpan delay, IReadOnlyList<RawWork> works)
    {
        List<(string Name, RawWork Work, Run Run)> all = [];
        foreach (var (name, device) in place.OpenRaw(delay))
        {
            using (device)
            {
                all.AddRange(works.Select(work => (name, work, device.Write(work, time))));
            }
        }

        return all.MaxBy(one => one.Run.PerSecond * one.Work.Bytes);
    }

    private static double Half(IEnumerable<double> values) => new Sample(values).At(0.5);
}
