using Millrace.Controller.Streams;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Runtime.Buffers;
using Millrace.Runtime.Files.Linux;
using Millrace.Runtime.Ids;
using Millrace.Server.Options;
using Millrace.Streams;
using Millrace.Tests.Server.Composition;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Controller.Failover;

/// <summary>What a start makes of the file WALs that former incarnations left.</summary>
public sealed class FormerWalsTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly MemoryObjectStorage _storage = new();
    private readonly TemporaryDirectory _folder = new();

    private string Wal => $"file://{_folder.Path}?capacity=8MiB";

    private IEnumerable<string?> Files => Directory.GetFiles(_folder.Path).Select(Path.GetFileName);

    [Fact]
    public async Task A_clean_WAL_whose_process_died_before_it_gave_the_file_up_is_given_up_by_the_next()
    {
        string left;
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wal))
        {
            left = Path.GetFileName(node.Node.Wals.Default.Descriptor.Location);
            await LeaveAsync(node);
        }

        Assert.Equal([left], Files);
        await using var next = await NodeUnderTest.StartAsync(_storage, Wal);
        Assert.True(await Eventually.BecomesTrueAsync(() => !Files.Contains(left) && next.Node.Metadata.Image.Wals.Count == 1));
    }

    [Fact]
    public async Task A_recovered_WAL_whose_recoverer_died_before_it_gave_the_file_up_is_given_up_by_the_next()
    {
        string left;
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wal))
        {
            left = Path.GetFileName(node.Node.Wals.Default.Descriptor.Location);
            await OpenNewAsync(node);
        }

        await using (var recoverer = new ControllerNode(_storage))
        {
            var controller = await recoverer.StartAsync();
            var self = await controller.RegisterAsync(recoverer.Registration, default);
            var share = Assert.Single(await controller.GetSharesAsync(self, default));
            Assert.True((await controller.CompleteRecoveryAsync(self, share, default)).IsRetired);
        }

        Assert.Equal([left], Files);
        await using var next = await NodeUnderTest.StartAsync(_storage, Wal);
        Assert.True(await Eventually.BecomesTrueAsync(() => !Files.Contains(left) && next.Node.Metadata.Image.Wals.Count == 1));
    }

    [Fact]
    public async Task A_start_does_not_wait_for_what_a_retired_WAL_in_the_bucket_gives_back()
    {
        await using var storage = new TestStorage();
        string left;
        await using (var node = await NodeUnderTest.StartAsync(storage, "object"))
        {
            left = node.Node.Wals.Default.Descriptor.Location;
            await LeaveAsync(node);
        }

        // In a crash loop over a store with moods each start that is cut short leaves one more: none would get through with them all.
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        storage.BeforeRead = key =>
        {
            if (!key.StartsWith(left, StringComparison.Ordinal))
            {
                return default;
            }

            asked.TrySetResult();
            return new ValueTask(answered.Task);
        };
        await using var next = await NodeUnderTest.StartAsync(storage, "object").WaitAsync(Patience, TestContext.Current.CancellationToken);
        await asked.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        answered.SetResult();
        Assert.True(await Eventually.BecomesTrueAsync(() => next.Node.Metadata.Image.Wals.Count == 1));
    }

    [Fact]
    public async Task A_WAL_that_was_registered_and_never_made_whole_leaves_nothing_behind()
    {
        string half;
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wal))
        {
            half = node.Node.Wals.Default.Descriptor.Location;
        }

        await File.WriteAllBytesAsync(half, new byte[8 << 20], TestContext.Current.CancellationToken);
        await using var next = await NodeUnderTest.StartAsync(_storage, Wal);
        Assert.True(await Eventually.BecomesTrueAsync(() => !File.Exists(half)));
    }

    [Fact]
    public async Task A_clean_stop_leaves_the_spare_and_nothing_in_the_metadata()
    {
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wal))
        {
            Assert.True(await node.Host.StopAsync());
            Assert.Empty(node.Node.Metadata.Image.Wals);
        }

        Assert.Equal(["spare.wal"], Files);
    }

    [Fact]
    public async Task A_WAL_that_the_metadata_does_not_know_is_left_alone()
    {
        var stranger = Path.Combine(_folder.Path, $"{new Guid(7, 7, 7, new byte[8]):N}.wal");
        await File.WriteAllTextAsync(stranger, "another cluster's", TestContext.Current.CancellationToken);
        for (var i = 0; i < 2; i++)
        {
            await using var node = await NodeUnderTest.StartAsync(_storage, Wal);
            Assert.True(await node.Host.StopAsync());
        }

        Assert.Equal("another cluster's", await File.ReadAllTextAsync(stranger, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Of_a_damaged_WAL_only_the_damaged_stream_waits_until_its_loss_is_accepted()
    {
        StreamId damaged, whole;
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wal))
        {
            var (first, second) = (await OpenNewAsync(node), await OpenNewAsync(node));
            (damaged, whole) = (first.Stream.Id, second.Stream.Id);
            await AppendAsync(node, first);
            await AppendAsync(node, first);
            await AppendAsync(node, second);
            // As a fault would: the oldest record goes, and no object holds it.
            await node.Node.Wals.Default.TrimAsync(1, default);
        }

        for (var epoch = 1; epoch < 3; epoch++)
        {
            await using var node = await NodeUnderTest.StartAsync(_storage, Wal);
            Assert.Equal(1, (await OpenAsync(node, whole, epoch)).Stream.NextOffset);
            Assert.Equal(StreamError.Incomplete, (await Assert.ThrowsAsync<StreamException>(() => OpenAsync(node, damaged, epoch))).Error);
            var waiting = Assert.Single(await node.Node.Nodes.GetWaitingWalsAsync(default));
            Assert.Equal([damaged], waiting.Streams.Select(item => item.Stream));
        }

        await using var last = await NodeUnderTest.StartAsync(_storage, Wal, [$"stream {damaged}"]);
        Assert.Equal(0, (await OpenAsync(last, damaged, epoch: 3)).Stream.NextOffset);
        Assert.Equal(1, (await OpenAsync(last, whole, epoch: 3)).Stream.NextOffset);
        Assert.Empty(await last.Node.Nodes.GetWaitingWalsAsync(default));
    }

    [Fact]
    public async Task A_name_of_nothing_ends_the_start_before_anything_is_given_up()
    {
        StreamId stream;
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wal))
        {
            stream = (await OpenNewAsync(node)).Stream.Id;
        }

        File.Delete(Assert.Single(Directory.GetFiles(_folder.Path)));
        var wal = await WaitingAsync();

        var refusal = await Assert.ThrowsAsync<SettingsException>(() => NodeUnderTest.StartAsync(_storage, Wal, [$"{wal}", $"steam {stream}"]));

        Assert.StartsWith($"--accept-loss steam {stream}: ", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith($"Did you mean 'stream {stream}'?", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(wal, await WaitingAsync());
        await using var last = await NodeUnderTest.StartAsync(_storage, Wal, [$"{wal}"]);
        Assert.Empty(await last.Node.Nodes.GetWaitingWalsAsync(default));
    }

    [Fact]
    public async Task A_node_that_comes_again_under_another_name_recovers_the_file_that_lies_in_its_folder()
    {
        await using (var node = await NodeUnderTest.StartAsync(_storage, Wal))
        {
            await node.Host.Member.Channel.SendAsync<CreateTopicsRequest, CreateTopicsResponse>(
                new CreateTopicsRequest { Topics = [new() { Name = "t", NumPartitions = 1, ReplicationFactor = 1 }] }, TestContext.Current.CancellationToken);
            var stream = node.Node.Metadata.Image.Topics["t"].Partitions[0].Stream;
            Assert.True(await Eventually.BecomesTrueAsync(() => node.Controller.State.Streams.Streams[stream].OpenRange is not null));
        }

        await using var renamed = await NodeUnderTest.StartAsync(
            _storage, Wal, new LinuxFileSystem(TaskScheduler.Default), options => options, name: "renamed");

        Assert.True(await Eventually.BecomesTrueAsync(() => renamed.Node.Metadata.Image.Topics["t"].Partitions[0].Leader == renamed.Node.Self.Node));
    }

    public async ValueTask DisposeAsync()
    {
        await _storage.DisposeAsync();
        _folder.Dispose();
    }

    private async Task<Guid> WaitingAsync()
    {
        await using var node = await NodeUnderTest.StartAsync(_storage, Wal);
        return Assert.Single(await node.Node.Nodes.GetWaitingWalsAsync(default), waiting => waiting.Streams.Count > 0).Wal.Id;
    }

    /// <summary>A clean stop, up to the moment at which its WAL would be given up.</summary>
    private static async Task LeaveAsync(NodeUnderTest node)
    {
        await node.Node.Broker.StopAsync(TimeSpan.Zero, default);
        await node.Node.Streams.CloseAsync(default);
        await node.Node.Nodes.LeaveAsync(node.Node.Self, node.Node.Streams, default);
    }

    internal static async Task<TestOwner> OpenNewAsync(NodeUnderTest node)
    {
        var created = await node.Controller.DecideAsync(entry => StreamOperations.Create(entry, node.Node.Self), default);
        return await OpenAsync(node, created.Accepted(), epoch: 0);
    }

    internal static async Task<TestOwner> OpenAsync(NodeUnderTest node, StreamId stream, int epoch)
    {
        var owner = new TestOwner();
        owner.Stream = await node.Node.Streams.OpenAsync(stream, new StreamEpoch(epoch), owner, default);
        return owner;
    }

    internal static async Task AppendAsync(NodeUnderTest node, TestOwner owner)
    {
        using var permit = await owner.Stream.AdmitAsync(100, default);
        using var buffers = new BufferPool(1 << 20);
        var frame = buffers.Rent(100);
        frame.GetSpan()[..100].Fill(7);
        await owner.AppendAsync(new StreamAppend(1, -1, frame.Memory[..100], frame), permit);
        frame.Release();
    }
}
