using Millrace.ObjectStorage.Memory;
using Millrace.Runtime.Buffers;
using Millrace.Streams;
using Millrace.Streams.Wal;
using Millrace.Streams.Wal.Media.Block;
using Xunit;

namespace Millrace.Tests.Streams.Wal;

public sealed class WalUriTests
{
    [Theory]
    [InlineData("file:///var/lib/wal", WalKind.File)]
    [InlineData("file:///var/lib/wal?capacity=64MiB&mode=direct", WalKind.File)]
    [InlineData("object", WalKind.Object)]
    [InlineData("object?objects=50", WalKind.Object)]
    [InlineData("memory", WalKind.Memory)]
    [InlineData("block:///dev/disk/by-id/nvme-one", WalKind.Block)]
    [InlineData("block:///var/lib/device?capacity=1GiB&fence=host&abort=false", WalKind.Block)]
    public void Each_kind_has_its_uri(string text, WalKind kind)
    {
        using var node = new RealNode();
        using var pool = new BufferPool(0);
        Assert.Equal(kind, Create(text, node, pool).Kind);
    }

    [Fact]
    public async Task The_capacity_is_that_of_the_file()
    {
        using var node = new RealNode();
        using var pool = new BufferPool(0);
        var provider = Create($"file://{node.Folder}?capacity=9MiB", node, pool);
        await using var wal = await provider.CreateAsync(provider.Describe(new(1), new(1), []), default);
        Assert.Equal(9 << 20, new FileInfo(wal.Descriptor.Location).Length);
    }

    [Theory]
    [InlineData("", "is not a WAL")]
    [InlineData("disk:///x", "is not a WAL")]
    [InlineData("file:wal", "names no folder")]
    [InlineData("file:///wal?capacity=lots", "number of bytes")]
    [InlineData("file:///wal?capacity=1MiB", "too small")]
    [InlineData("file:///wal?mode=fast", "buffered or direct")]
    [InlineData("file:///wal?capacity=64MiB&capacity=64MiB", "twice")]
    [InlineData("object:///x", "has a path")]
    [InlineData("block:", "names no device")]
    [InlineData("block:///dev/", "names no device")]
    [InlineData("block:///dev/x?capacity=1MiB", "too small")]
    [InlineData("block:///dev/x?fence=none", "reservation or host")]
    [InlineData("object?objects=0", "to be a number")]
    [InlineData("object?capacity=64MiB", "it takes objects")]
    public void What_is_wrong_with_a_uri_is_said(string text, string said) =>
        Assert.Contains(said, Assert.Throws<FormatException>(() => WalUri.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_node_may_have_one_of_each_kind_the_default_first() =>
        Assert.Equal(
            ["block:///dev/x", "object", "file:///a,b/wal"],
            WalUri.ParseAll(["block:///dev/x", "object?objects=9", "file:///a%2Cb/wal"]).Select(uri => Uri.UnescapeDataString($"{uri}")));

    [Theory]
    [InlineData("No WAL is named")]
    [InlineData("one more WAL of its kind", "file:///a", "object", "file:///b")]
    [InlineData("goes with no other", "memory", "object")]
    [InlineData("goes with no other", "object", "memory")]
    [InlineData("is not a WAL", "file:///a", "b/wal")]
    public void What_does_not_go_together_is_said(string said, params string[] texts) =>
        Assert.Contains(said, Assert.Throws<FormatException>(() => WalUri.ParseAll(texts)).Message, StringComparison.Ordinal);

    private static IWalProvider Create(string uri, RealNode node, BufferPool pool)
    {
        var parsed = WalUri.Parse(uri);
        return parsed.CreateProvider(node.Runtime, pool, new MemoryObjectStorage(), new BlockDevices(node.Runtime, pool, parsed.Device, []));
    }
}
