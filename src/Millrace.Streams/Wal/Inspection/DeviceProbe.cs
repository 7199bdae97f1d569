using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Runtime.Files.Linux;

namespace Millrace.Streams.Wal.Inspection;

/// <summary>Measures what a device takes for what a WAL asks of it. It writes only where there is nothing, and leaves nothing there.</summary>
/// <remarks>Threading: one call at a time. Errors: <see cref="IOException"/>, as the system refuses.</remarks>
/// <param name="runtime">Its files are the devices, its clock measures.</param>
/// <param name="pool">Lends the buffers.</param>
/// <param name="path">The device, or a file in its place.</param>
public sealed class DeviceProbe(NodeRuntime runtime, BufferPool pool, string path)
{
    private const int Small = 4 << 10;
    private const int Large = 1 << 20;
    private const int SmallCalls = 500;
    private const int LargeCalls = 64;
    private const int AtOnce = 4;

    /// <param name="found">What <see cref="DeviceInspector"/> has found there, just now.</param>
    /// <param name="token">Ends it.</param>
    public async Task<DeviceSpeed> MeasureAsync(DeviceInspection found, CancellationToken token)
    {
        await using var device = await runtime.Files.OpenDeviceAsync(path, found.Bytes, WalDeviceMode.Direct, token);
        var buffer = pool.Rent(Large);
        try
        {
            buffer.Memory.Span.Fill(0x5A);
            var small = buffer.Memory[..Small];
            var reads = await TimeAsync(
                SmallCalls, _ => device.ReadAsync(runtime.Random.NextInt64(device.Capacity / Small) * Small, small, token));
            if (found.Content != DeviceContent.Nothing || device.Capacity < LargeCalls * (long)Large)
            {
                return new DeviceSpeed(reads, null, null, null);
            }

            await using var hold = await runtime.Files.TryLockAsync(path, token)
                ?? throw new IOException($"{path} is held by a living process of this host: stop that first", LinuxError.WouldBlock);
            try
            {
                return await WriteAsync(device, reads, buffer.Memory, token);
            }
            finally
            {
                await EmptyAsync(device, buffer.Memory);
            }
        }
        finally
        {
            buffer.Release();
        }
    }

    private async Task<DeviceSpeed> WriteAsync(IWalDevice device, Percentiles reads, Memory<byte> buffer, CancellationToken token)
    {
        var flushes = new List<TimeSpan>();
        var writes = new List<TimeSpan>();
        for (var i = 0L; i < SmallCalls; i++)
        {
            var began = runtime.Time.GetTimestamp();
            await device.WriteAsync(i * Small, [buffer[..Small]], token);
            writes.Add(runtime.Time.GetElapsedTime(began));
            began = runtime.Time.GetTimestamp();
            await device.FlushAsync(token);
            flushes.Add(runtime.Time.GetElapsedTime(began));
        }

        var start = runtime.Time.GetTimestamp();
        foreach (var some in Enumerable.Range(0, LargeCalls).Chunk(AtOnce))
        {
            await Task.WhenAll(some.Select(place => device.WriteAsync(place * (long)Large, [buffer], token).AsTask()));
        }

        await device.FlushAsync(token);
        var rate = LargeCalls * (double)Large / runtime.Time.GetElapsedTime(start).TotalSeconds;
        return new DeviceSpeed(reads, Percentiles.Of(writes), Percentiles.Of(flushes), rate);
    }

    // Also where it was cut short: what is not zeros would keep brokers from taking the device.
    private static async Task EmptyAsync(IWalDevice device, Memory<byte> buffer)
    {
        buffer.Span.Clear();
        for (var place = 0; place < LargeCalls; place++)
        {
            await device.WriteAsync(place * (long)Large, [buffer]);
        }

        await device.FlushAsync();
    }

    private async Task<Percentiles> TimeAsync(int calls, Func<int, ValueTask> call)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < calls; i++)
        {
            var began = runtime.Time.GetTimestamp();
            await call(i);
            times.Add(runtime.Time.GetElapsedTime(began));
        }

        return Percentiles.Of(times);
    }
}
