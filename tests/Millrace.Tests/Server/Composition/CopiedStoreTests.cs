using System.Buffers;
using Millrace.ObjectStorage;
using Millrace.ObjectStorage.Memory;
using Millrace.Runtime.Files.Linux;
using Millrace.Server;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>A store that was copied is as good as the original, but for those who live on that.</summary>
public sealed class CopiedStoreTests
{
    [Fact]
    public async Task A_node_on_a_copy_is_refused_while_the_original_lives_and_goes_on_with_the_copy_when_it_does_not()
    {
        await using var original = new MemoryObjectStorage();
        await using var copy = new MemoryObjectStorage();
        await using (var node = await StartAsync(original, "one"))
        {
            await CopyAsync(original, copy);
            var self = Assert.Single(node.Node.Metadata.Image.LiveNodes);

            var refused = await Assert.ThrowsAsync<NodeStartException>(() => StartAsync(copy, "two"));

            Assert.Contains(
                $"is a copy of the store of cluster {node.Node.Metadata.Image.ClusterId}, whose brokers live ({self.Endpoints[0]})",
                refused.Message,
                StringComparison.Ordinal);

            // Of the original it may be one more.
            await using var other = await StartAsync(original, "two");
            Assert.NotEqual(node.Node.Self.Node, other.Node.Self.Node);
        }

        await using var alone = await StartAsync(copy, "two");
        Assert.NotNull(alone.Host.Member.Local);
    }

    private static Task<NodeUnderTest> StartAsync(IObjectStorage storage, string name) =>
        NodeUnderTest.StartAsync(storage, "memory:", new LinuxFileSystem(TaskScheduler.Default), options => options, name);

    private static async Task CopyAsync(IObjectStorage from, IObjectStorage to)
    {
        foreach (var entry in await from.ListAsync("", startAfter: null, limit: 1000, CancellationToken.None))
        {
            var body = await from.GetAsync(entry.Key, CancellationToken.None);
            Assert.True(await to.TryCreateAsync(entry.Key, new ReadOnlySequence<byte>(body!), CancellationToken.None));
        }
    }
}
