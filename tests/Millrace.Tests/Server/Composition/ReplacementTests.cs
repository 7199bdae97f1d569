using Millrace.Controller.Log;
using Millrace.Controller.Nodes;
using Millrace.ObjectStorage.Memory;
using Millrace.Protocol;
using Millrace.Runtime.Files.Linux;
using Millrace.Streams;
using Millrace.Tests.Acceptance;
using Millrace.Tests.Controller;
using Millrace.Tests.Streams;
using Xunit;

namespace Millrace.Tests.Server.Composition;

/// <summary>Incarnations that end, and what takes their place in the same process.</summary>
public sealed class ReplacementTests(ITestOutputHelper output)
{
    private const int Partitions = 4;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_WAL_device_that_fails_under_load_is_replaced_with_all_that_it_held()
    {
        await using var storage = new MemoryObjectStorage();
        using var folder = new TemporaryDirectory();
        var fails = false;
        var files = new HookedFiles(new LinuxFileSystem(TaskScheduler.Default))
        {
            Before = (call, path) => call == "flush device" && Interlocked.Exchange(ref fails, false)
                ? throw new IOException($"flush {path}: Input/output error (errno 5)", LinuxError.InputOutput)
                : ValueTask.CompletedTask,
        };
        await using var node = await NodeUnderTest.StartAsync(storage, $"file://{folder.Path}?capacity=64MiB", files, options => options);
        var address = $"{node.Host.Address}";
        await TestTopic.CreateAsync(address, "orders", Partitions);
        using var load = new Load(address, "orders", Partitions, producers: 3);
        await load.WaitForMoreAsync(500, Limit);
        var silence = new Silence(load);
        Interlocked.Exchange(ref fails, true);
        Assert.True(await Eventually.BecomesTrueAsync(() => node.Incarnations.Served.Count == 2));
        await load.WaitForMoreAsync(500, Limit);
        output.WriteLine($"Nothing was acknowledged for {(await silence.LongestAsync()).TotalMilliseconds:F0} ms");

        load.Stop(Limit);
        Assert.Equal(StreamError.WalFailed, Assert.IsType<StreamException>(Assert.Single(node.Incarnations.Reasons)).Error);
        Assert.Empty(load.Failures);
        var content = LogContent.Read(address, "orders", Partitions);
        content.AssertHolds(load.Acknowledged);
        Assert.Equal(load.Count, content.Count);
        Assert.Equal(address, $"{node.Host.Address}");
        Assert.DoesNotContain(node.Log.Lines, line => line.Exception is not null);
        Assert.True(await node.Host.StopAsync());
        Assert.True(await Eventually.BecomesTrueAsync(() => node.HeldBytes == 0), $"{node.HeldBytes} bytes are held");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_fenced_incarnation_answers_nobody_any_more_and_gives_everything_back(bool byAnother)
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "object");
        await CreateAsync(node, "orders");
        using var connected = await node.ConnectAsync();
        await FenceAsync(node, storage, byAnother);

        Assert.True(await connected.IsClosedByServerAsync());
        Assert.True(await Eventually.BecomesTrueAsync(() => node.Incarnations.Served.Count == 2));
        Assert.Equal((1, 0), (node.Incarnations.Gone, node.Node.Broker.ConnectionCount));
        Assert.True(await Eventually.BecomesTrueAsync(() => node.HeldBytes == 0), $"{node.HeldBytes} bytes are held");
        var refusal = await Assert.ThrowsAsync<StreamException>(
            async () => await node.Node.Streams.Components.Registry.PrepareAsync(node.Node.Self, 1, TestContext.Current.CancellationToken));
        Assert.Equal(StreamError.Fenced, refusal.Error);
        var (former, current) = (node.Node.Self, node.Host.Current!.Self);
        Assert.Equal(former.Node, current.Node);
        Assert.True(current.Epoch > former.Epoch);
        Assert.Equal((short)ErrorCode.TopicAlreadyExists, await CreateAsync(node, "orders"));
        Assert.False(node.Host.WaitForFailureAsync().IsCompleted);
    }

    [Fact]
    public async Task What_was_given_up_at_the_start_is_not_given_up_again_by_those_that_follow()
    {
        await using var storage = new MemoryObjectStorage();
        await using (var first = await NodeUnderTest.StartAsync(storage, "memory:"))
        {
            await CreateAsync(first, "orders");
        }

        await using var node = await NodeUnderTest.StartAsync(storage, "memory:", ["orders"]);
        // Its WAL ends with its incarnation.
        await OpenAsync(node, "orders");
        await FenceAsync(node, storage, byAnother: false);

        Assert.True(await Eventually.BecomesTrueAsync(() => node.Incarnations.Served.Count == 2));
        var waiting = Assert.Single(await node.Host.Current!.Nodes.GetWaitingWalsAsync(TestContext.Current.CancellationToken));
        Assert.Equal("orders", Assert.Single(waiting.Streams).Topic);
    }

    [Fact]
    public async Task A_first_start_that_is_fenced_comes_again_with_what_its_operator_gives_up()
    {
        await using var storage = new TestStorage();
        Guid lost;
        await using (var first = await NodeUnderTest.StartAsync(storage, "memory:"))
        {
            await CreateAsync(first, "orders");
            await OpenAsync(first, "orders");
            lost = first.Node.Wals.Default.Descriptor.Id;
        }

        using var folder = new TemporaryDirectory();
        await using var other = new ControllerNode(storage);
        var fenced = 0;
        storage.BeforePut = async (key, token) =>
        {
            // The losses are accepted before the new WAL is made known, and there it finds itself fenced.
            if (Volatile.Read(ref fenced) == 0 && !await IsKnownAsync(storage, lost) && Interlocked.Exchange(ref fenced, 1) == 0)
            {
                await (await other.StartAsync()).RegisterAsync(other.Registration, token);
            }
        };
        await using var node = await NodeUnderTest.StartAsync(
            storage, $"file://{folder.Path}?capacity=8MiB", options => options with { AcceptLoss = [$"{lost}"] });

        Assert.Contains(node.Log.Texts, line => line.Contains("A new incarnation could not start", StringComparison.Ordinal));
        Assert.Single(node.Incarnations.Served);
        Assert.All(node.Node.Metadata.Image.Topics["orders"].Partitions, partition => Assert.NotNull(partition.Leader));
        Assert.DoesNotContain(lost, (await node.Node.Nodes.GetWaitingWalsAsync(TestContext.Current.CancellationToken)).Select(wal => wal.Wal.Id));
    }

    private static async Task<bool> IsKnownAsync(TestStorage storage, Guid wal)
    {
        await using var reader = new ControllerNode(storage);
        await using var log = await MetadataLog.OpenClusterAsync(reader.Runtime, storage, reader.LogOptions, CancellationToken.None);
        return log.Image.Wals.ContainsKey(wal);
    }

    [Fact]
    public async Task A_disk_that_refuses_the_former_WAL_once_leaves_no_partition_without_a_leader()
    {
        await using var storage = new MemoryObjectStorage();
        using var folder = new TemporaryDirectory();
        var files = new HookedFiles(new LinuxFileSystem(TaskScheduler.Default));
        await using var node = await NodeUnderTest.StartAsync(storage, new Uri(folder.Path).AbsoluteUri + "?capacity=8MiB", files, options => options);
        await CreateAsync(node, "orders");
        var own = node.Node.Wals.Default.Descriptor.Location;
        var refusals = 0;
        files.Before = (call, path) => call == "open device" && path == own && Interlocked.Increment(ref refusals) == 1
            ? throw new IOException("open: too many open files", 24)
            : ValueTask.CompletedTask;
        await FenceAsync(node, storage, byAnother: false);

        Assert.True(await Eventually.BecomesTrueAsync(() => node.Incarnations.Served.Count == 2));
        Assert.True(refusals > 1);
        Assert.All(node.Host.Current!.Metadata.Image.Topics["orders"].Partitions, partition => Assert.NotNull(partition.Leader));
        Assert.Empty(await node.Host.Current.Nodes.GetWaitingWalsAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_node_whose_metadata_log_another_process_takes_and_leaves_goes_on_as_the_incarnation_that_it_was()
    {
        await using var storage = new MemoryObjectStorage();
        await using var node = await NodeUnderTest.StartAsync(storage, "object");
        await CreateAsync(node, "orders");
        await using (var other = new ControllerNode(storage))
        {
            await other.StartAsync();
        }

        var answer = await CreateAsync(node, "payments");
        while (answer == (short)ErrorCode.NotController)
        {
            answer = await CreateAsync(node, "payments");
        }

        // Whoever asked while it was not known who the controller is may have got what he wanted without hearing of it.
        Assert.Contains((ErrorCode)answer, new[] { ErrorCode.None, ErrorCode.TopicAlreadyExists });
        Assert.Single(node.Incarnations.Served);
        Assert.Empty(node.Incarnations.Reasons);
    }

    [Fact]
    public async Task A_stop_between_two_incarnations_waits_for_none_and_leaves_everything_to_the_next_start()
    {
        await using var storage = new TestStorage();
        await using (var node = await NodeUnderTest.StartAsync(storage, "object"))
        {
            await CreateAsync(node, "orders");
            var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var (controller, self) = (node.Controller, node.Node.Self);
            storage.BeforePut = async (key, token) =>
            {
                // Behind the fence the next incarnation registers.
                if (key.StartsWith("meta/LOG/", StringComparison.Ordinal) && !controller.Metadata.Image.IsLive(self.Node))
                {
                    asked.TrySetResult();
                    await Task.Delay(Timeout.Infinite, token);
                }
            };
            await FenceAsync(node, storage, byAnother: false);
            await asked.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);
            Assert.Null(node.Host.Current);

            Assert.False(await node.Host.StopAsync().WaitAsync(Limit, TestContext.Current.CancellationToken));
            Assert.Contains(node.Log.Texts, line => line.Contains("Stopped between two incarnations", StringComparison.Ordinal));
        }

        storage.BeforePut = (_, _) => default;
        await using var next = await NodeUnderTest.StartAsync(storage, "object");
        Assert.Equal((short)ErrorCode.TopicAlreadyExists, await CreateAsync(next, "orders"));
    }

    private static async Task FenceAsync(NodeUnderTest node, Millrace.ObjectStorage.IObjectStorage storage, bool byAnother)
    {
        if (byAnother)
        {
            await using var other = new ControllerNode(storage);
            await (await other.StartAsync()).RegisterAsync(other.Registration, CancellationToken.None);
        }
        else
        {
            using var limit = new CancellationTokenSource(Limit);
            await node.Controller.SubmitAsync(entry => NodeOperations.Fence(entry, node.Node.Self), limit.Token);
        }
    }

    /// <summary>A partition opens with its first request; only then may the WAL hold something of it.</summary>
    private static async Task OpenAsync(NodeUnderTest node, string topic) =>
        await node.CallAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new()
            {
                ReplicaId = -1,
                Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, Timestamp = -1, CurrentLeaderEpoch = -1 }] }],
            },
            version: 5);

    private static async Task<short> CreateAsync(NodeUnderTest node, string topic)
    {
        var created = await node.CallAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new() { TimeoutMs = 60_000, Topics = [new() { Name = topic, NumPartitions = 1, ReplicationFactor = 1 }] }, version: 5);
        return created.Topics[0].ErrorCode;
    }
}
