using Millrace.Runtime;

namespace Millrace.Streams.Wal.Media.Block;

/// <summary>Names a device that holds WALs: <c>block:///dev/disk/by-id/…?capacity=10GiB&amp;fence=reservation|host&amp;abort=true&amp;settle=30</c>.</summary>
public static class BlockUri
{
    /// <summary>The devices of others, as a setting lists them: URIs or plain paths, with commas between.</summary>
    /// <exception cref="FormatException">One is no device.</exception>
    public static IReadOnlyList<BlockDeviceOptions> ParseList(string text) =>
    [
        .. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(one => Parse(ComponentUri.Parse(one.StartsWith('/') ? $"block://{one}" : one))),
    ];

    internal static BlockDeviceOptions Parse(ComponentUri uri)
    {
        if (uri.Scheme != "block" || uri.Authority.Length > 0 || !Path.IsPathRooted(uri.Path) || uri.Path.EndsWith('/'))
        {
            throw uri.Refuse("names no device: write block:// and an absolute path, as in block:///dev/disk/by-id/nvme-example");
        }

        var options = new BlockDeviceOptions(Path.GetFullPath(uri.Path))
        {
            Capacity = uri.TakeBytes("capacity") is { } bytes ? bytes / BlockLabel.Sector * BlockLabel.Sector : null,
            Aborts = uri.TakeFlag("abort") ?? true,
            Settling = uri.TakeCount("settle") is { } seconds ? TimeSpan.FromSeconds(seconds) : new BlockDeviceOptions("").Settling,
            Fence = uri.Take("fence") switch
            {
                null => null,
                "reservation" => DeviceFenceKind.Reservation,
                "host" => DeviceFenceKind.Host,
                _ => throw uri.Refuse("wants 'fence' to be reservation or host"),
            },
        };
        uri.CheckAllTaken("capacity", "fence", "abort", "settle");
        return options.Capacity is null or >= BlockDeviceOptions.SmallestCapacity
            ? options
            : throw uri.Refuse($"is too small: a WAL on a device takes at least {BlockDeviceOptions.SmallestCapacity >> 20}MiB");
    }
}
