using System.Collections.Concurrent;
using Millrace.Controller.Log;
using Millrace.ObjectStorage.ObjectLogs;
using Millrace.Runtime.Files.Linux;
using Millrace.Tests.ObjectStorage;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>Nodes that start at the same time on an empty bucket.</summary>
public sealed class FormedTogetherTests
{
    private static readonly string FirstEntry = new LogKeys(MetadataLog.Prefix).Object(new LogPlace(0, 0));

    [Fact]
    public async Task Two_that_have_both_seen_that_there_is_no_cluster_form_one()
    {
        // Neither marks the bucket, and neither begins the log, before the other is about to.
        var gates = new ConcurrentDictionary<string, Gate>(
            [KeyValuePair.Create(BucketFormat.Key, new Gate()), KeyValuePair.Create(FirstEntry, new Gate())]);
        var won = new ConcurrentBag<string>();
        await using var storage = new AdjustedObjectStorage
        {
            Create = async (store, key, body) =>
            {
                if (gates.TryGetValue(key, out var gate))
                {
                    await gate.PassAsync();
                }

                var created = await store.TryCreateAsync(key, body, CancellationToken.None);
                if (created && gate is not null)
                {
                    won.Add(key);
                }

                return created;
            },
        };

        var starts = new[] { "one", "two" }.Select(name => NodeUnderTest.StartAsync(
            storage, "memory:", new LinuxFileSystem(TaskScheduler.Default), options => options, name)).ToList();
        await using var first = await starts[0];
        await using var second = await starts[1];

        Assert.Equal(new[] { BucketFormat.Key, FirstEntry }.Order(StringComparer.Ordinal), won.Order(StringComparer.Ordinal));
        Assert.NotEqual(Guid.Empty, first.Node.Metadata.Image.ClusterUuid);
        Assert.Equal(first.Node.Metadata.Image.ClusterUuid, second.Node.Metadata.Image.ClusterUuid);
        Assert.NotEqual(first.Node.Self.Node, second.Node.Self.Node);
        Assert.Single(new[] { first, second }, node => node.Host.Member.Local is not null);
        foreach (var node in new[] { first, second })
        {
            Assert.True(await Eventually.BecomesTrueAsync(() => node.Node.Metadata.Image.LiveNodes.Count() == 2));
        }
    }

    /// <summary>Opens when two have come.</summary>
    private sealed class Gate
    {
        private readonly TaskCompletionSource _both = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _came;

        public Task PassAsync()
        {
            if (Interlocked.Increment(ref _came) == 2)
            {
                _both.TrySetResult();
            }

            return _both.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }
    }
}
