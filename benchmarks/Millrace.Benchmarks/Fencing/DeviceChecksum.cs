using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;

namespace Millrace.Benchmarks.Fencing;

/// <summary>Of all that lies on a device: whether anything has landed there is whether it has changed.</summary>
internal static class DeviceChecksum
{
    public static async Task<uint> OfAsync(string path, NodeRuntime runtime, BufferPool pool)
    {
        await using var device = await runtime.Files.OpenDeviceAsync(path, 0, WalDeviceMode.Direct);
        var buffer = pool.Rent(8 << 20);
        try
        {
            var checksum = 0u;
            for (var position = 0L; position < device.Capacity; position += buffer.Memory.Length)
            {
                var part = buffer.Memory[..(int)Math.Min(buffer.Memory.Length, device.Capacity - position)];
                await device.ReadAsync(position, part);
                checksum = Crc32C.Append(checksum, part.Span);
            }

            return checksum;
        }
        finally
        {
            buffer.Release();
        }
    }
}
