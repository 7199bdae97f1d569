using Millrace.ObjectStorage;
using Millrace.Runtime;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files;
using Millrace.Streams.Wal.Media;
using Millrace.Streams.Wal.Media.Block;
using Millrace.Streams.Wal.Ring;
using Millrace.Streams.Wal.Memory;
using Millrace.Streams.Wal.Object;

namespace Millrace.Streams.Wal;

/// <summary>
/// Names the kind of WAL a node writes: <c>file:///path?capacity=256MiB&amp;mode=buffered|direct</c>,
/// <c>block:///dev/…?capacity=10GiB&amp;fence=reservation|host</c>, <c>object?objects=1000</c> (in the cluster's object store), or <c>memory</c>.
/// </summary>
public sealed class WalUri
{
    private readonly ComponentUri _uri;
    private readonly Func<NodeRuntime, BufferPool, IObjectStorage, BlockDevices, IWalProvider> _create;

    private WalUri(ComponentUri uri)
    {
        _uri = uri;
        _create = uri.Scheme switch
        {
            "file" => ParseFile(uri),
            "block" => ParseBlock(uri),
            "object" => ParseObject(uri),
            "memory" => ParseMemory(uri),
            _ => throw uri.Refuse("is not a WAL: use file:///path, block:///dev/name, object or memory"),
        };
    }

    /// <summary>The device that the WAL lies on; null if it lies on none.</summary>
    public BlockDeviceOptions? Device { get; private set; }

    /// <exception cref="FormatException">It names no WAL. The message says why.</exception>
    public static WalUri Parse(string text) => new(ComponentUri.Parse(text));

    /// <summary>As <see cref="Parse"/>, of those that one node writes: each of another kind.</summary>
    public static IReadOnlyList<WalUri> ParseAll(IEnumerable<string> texts)
    {
        var uris = new List<WalUri>();
        foreach (var uri in texts.Select(Parse))
        {
            if (uris.Exists(other => other._uri.Scheme == uri._uri.Scheme))
            {
                throw uri._uri.Refuse("is one more WAL of its kind: a node has one of each at most");
            }

            if (uris.Count > 0 && uris.Append(uri).Any(one => one._uri.Scheme == "memory"))
            {
                throw uri._uri.Refuse("goes with no other: what only the memory holds ends with the process, and no topic can choose it");
            }

            uris.Add(uri);
        }

        return uris.Count > 0 ? uris : throw new FormatException("No WAL is named: write file:///path, block:///dev/name, object or memory");
    }

    /// <param name="runtime">The node's surroundings.</param>
    /// <param name="pool">Lends the buffers.</param>
    /// <param name="storage">The cluster's store, for a WAL that lies there.</param>
    /// <param name="devices">What the node reaches, <see cref="Device"/> among it, for a WAL that lies there.</param>
    public IWalProvider CreateProvider(NodeRuntime runtime, BufferPool pool, IObjectStorage storage, BlockDevices devices) =>
        _create(runtime, pool, storage, devices);

    public override string ToString() => _uri.ToString();

    private static Func<NodeRuntime, BufferPool, IObjectStorage, BlockDevices, IWalProvider> ParseFile(ComponentUri uri)
    {
        if (uri.Authority.Length > 0 || !Path.IsPathRooted(uri.Path) || uri.Path == "/")
        {
            throw uri.Refuse("names no folder: write file:// and an absolute path, as in file:///var/lib/millrace/wal");
        }

        var defaults = new WalFolderOptions();
        var options = new WalFolderOptions
        {
            Capacity = uri.TakeBytes("capacity") is { } bytes ? RingFormat.Align(bytes) : defaults.Capacity,
            Mode = uri.Take("mode") switch
            {
                null => defaults.Mode,
                "buffered" => WalDeviceMode.Buffered,
                "direct" => WalDeviceMode.Direct,
                _ => throw uri.Refuse("wants 'mode' to be buffered or direct"),
            },
        };
        uri.CheckAllTaken("capacity", "mode");
        if (options.Capacity < RingFormat.SmallestCapacity)
        {
            throw uri.Refuse($"is too small: a WAL takes at least {RingFormat.SmallestCapacity >> 20}MiB");
        }

        var folder = Path.GetFullPath(uri.Path);
        return (runtime, pool, _, _) => new RingWalProvider(runtime, pool, new WalFolder(runtime, folder, options), new());
    }

    private Func<NodeRuntime, BufferPool, IObjectStorage, BlockDevices, IWalProvider> ParseBlock(ComponentUri uri)
    {
        Device = BlockUri.Parse(uri);
        return (runtime, pool, _, devices) => new RingWalProvider(runtime, pool, new BlockMedium(devices), new());
    }

    private static Func<NodeRuntime, BufferPool, IObjectStorage, BlockDevices, IWalProvider> ParseObject(ComponentUri uri)
    {
        var defaults = new ObjectWalOptions();
        var options = defaults with { UploadObjects = uri.TakeCount("objects") ?? defaults.UploadObjects };
        uri.CheckAllTaken("objects");
        CheckNoPath(uri);
        return (runtime, pool, storage, _) => new ObjectWalProvider(runtime, pool, storage, options);
    }

    private static Func<NodeRuntime, BufferPool, IObjectStorage, BlockDevices, IWalProvider> ParseMemory(ComponentUri uri)
    {
        uri.CheckAllTaken();
        CheckNoPath(uri);
        return (runtime, _, _, _) => new MemoryWalProvider(runtime);
    }

    private static void CheckNoPath(ComponentUri uri)
    {
        if (uri.Authority.Length + uri.Path.Length > 0)
        {
            throw uri.Refuse($"has a path: write just {uri.Scheme}");
        }
    }
}
