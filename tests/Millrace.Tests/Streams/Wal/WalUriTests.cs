using Millrace.ObjectStorage.Memory;
using Millrace.Runtime.Buffers;
using Millrace.Streams.Wal;
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
    public void Each_kind_has_its_uri(string text, WalKind kind)
    {
        using var node = new RealNode();
        using var pool = new BufferPool(0);
        Assert.Equal(kind, WalUri.Parse(text).CreateProvider(node.Runtime, pool, new MemoryObjectStorage()).Kind);
    }

    [Fact]
    public async Task The_capacity_is_that_of_the_file()
    {
        using var node = new RealNode();
        using var pool = new BufferPool(0);
        var provider = WalUri.Parse($"file://{node.Folder}?capacity=9MiB").CreateProvider(node.Runtime, pool, new MemoryObjectStorage());
        await using var wal = await provider.CreateAsync(provider.Describe(new(1), new(1)), default);
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
    [InlineData("object?objects=0", "to be a number")]
    [InlineData("object?capacity=64MiB", "it takes objects")]
    public void What_is_wrong_with_a_uri_is_said(string text, string said) =>
        Assert.Contains(said, Assert.Throws<FormatException>(() => WalUri.Parse(text)).Message, StringComparison.Ordinal);
}
